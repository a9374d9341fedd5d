-- Header fields that tell browsers what a page of ours never does.

local security = {}

local POLICY = table.concat({
  "default-src 'none'",          -- nothing is loaded from anywhere, but for what follows
  "style-src 'self'",            -- style sheets of our own; inline ones count as injected
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",      -- no other site shows this one in a frame
}, "; ")

-- To be called before anything is printed: with ngx the first print sends the head.
function security.apply()
  local header = ngx.header
  header["Content-Security-Policy"] = POLICY
  header["X-Content-Type-Options"] = "nosniff"
  header["Referrer-Policy"] = "no-referrer"
  header["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
  header["Cross-Origin-Opener-Policy"] = "same-origin"
  header["Cross-Origin-Resource-Policy"] = "same-origin"
  -- Over plain http browsers ignore this one, as they must: anybody could have added it.
  if ngx.var.scheme == "https" then
    header["Strict-Transport-Security"] = "max-age=31536000"
  end
end

return security
