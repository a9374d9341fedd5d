local requests = ngx.shared.counters:incr("requests", 1, 0)
ngx.say(requests)
