-- ngx.req and ngx.resp: adding a header to those that are there.

local K, host, A = ...

local M = {}

M['ngx.req'] = function() return {version = A.core_version, add_header = A.add_request_header} end
M['ngx.resp'] = function() return {version = A.core_version, add_header = A.add_response_header} end

return M
