local args = ngx.req.get_uri_args()
local headers = ngx.req.get_headers()
ngx.say(
  args.user, " ", args.page, " ",
  headers["Accept-Language"], " ", headers["X-Forwarded-For"], " ", headers["X-Request-Id"]
)
