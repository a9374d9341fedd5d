-- A small router: methods and patterns like "/books/:id" to functions.

local router = {}
router.__index = router

function router.new() return setmetatable({routes = {}}, router) end

-- ":name" stands for one segment of the path; everything else for itself.
function router:on(method, pattern, handler)
  local names = {}
  local literal = pattern:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0")
  local compiled = literal:gsub(":([%a_]+)", function(name)
    names[#names + 1] = name
    return "([^/]+)"
  end)
  self.routes[#self.routes + 1] = {
    method = method, pattern = "^" .. compiled .. "$", names = names, handler = handler,
  }
  return self
end

-- The handler and its parameters by name; or nil and the methods that this path does have,
-- sorted (none: the path is unknown).
function router:find(method, path)
  if method == "HEAD" then method = "GET" end      -- the server leaves the body out
  local allowed = {}
  for _, route in ipairs(self.routes) do
    local captures = {path:match(route.pattern)}
    if captures[1] then
      if route.method == method then
        local params = {}
        for i, name in ipairs(route.names) do params[name] = captures[i] end
        return route.handler, params
      end
      allowed[#allowed + 1] = route.method
    end
  end
  table.sort(allowed)
  return nil, allowed
end

return router
