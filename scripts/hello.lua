local name = cd.req.get_uri_args().name or "world"
cd.say("hello, ", name)
