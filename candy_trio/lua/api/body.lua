-- cd.req: the body of the request.
--
-- Candy reads it when any of these functions first needs it; OpenResty's scripts call read_body.
-- R.body_read says that it is here: R.body holds it, R.body_file names its file. A body that
-- was discarded is as good as empty once it is read. While a script builds a new one, R.new_body
-- holds its parts, and what has been appended so far is the body; past R.new_limit bytes it is in a
-- file (R.new_in_file) and no longer here.

local K, host, A = ...

local select = select
local sub = string.sub
local S, raise, wait = A.S, A.raise, A.wait
local join, SIZE = A.pieces.join, A.pieces.SIZE

-- ---------------------------------------------------------------------- reading
local function read(R)
  if R.body_read then return end
  if R.has_body then
    local here, body, file = host.arrived_body()
    if not here then body, file = wait('read_body') end
    R.body, R.body_file = body, file
  else
    host.read_no_body()
  end
  R.body_read = true
end

local function no_arguments(...)
  local count = select('#', ...)
  if count > 0 then return raise('expecting 0 arguments but seen ' .. count) end
end

local function read_body(...)
  no_arguments(...)
  read(S.R)
end

local function discard_body(...)
  no_arguments(...)
  local R = S.R
  if R.body_read or not R.has_body then return end
  if not host.discarded_body() then wait('discard_body') end
  R.has_body = false
end

-- What is in memory of the body; nil if it is empty.
local function in_memory(R)
  local body = R.body
  local parts = R.new_body
  if parts then body = join(parts, R.new_count) end
  if body == '' or R.new_in_file then return nil end
  return body
end

-- The whole body as a string, from its file where it is in one; nil if it is empty.
local function whole(R)
  if R.body_file and (R.new_in_file or not R.new_body) then
    local body = wait('load_body')
    return body ~= '' and body or nil
  end
  return in_memory(R)
end

local function get_body_data_cd(...)
  no_arguments(...)
  local R = S.R
  read(R)
  return whole(R)
end

local function get_body_data_ngx(...)
  no_arguments(...)
  return in_memory(S.R)
end

local function get_body_file_cd(...)
  no_arguments(...)
  local R = S.R
  read(R)
  return R.body_file
end

local function get_body_file_ngx(...)
  no_arguments(...)
  return S.R.body_file
end

-- ---------------------------------------------------------------------- form arguments
local function get_post_args_cd(max)
  max = A.check_max(max, 1, 'get_post_args')
  local R = S.R
  read(R)
  return A.parse_args(whole(R) or '', max, true)
end

local function get_post_args_ngx(...)
  local count = select('#', ...)
  if count > 1 then return raise('expecting 0 or 1 arguments but seen ' .. count) end
  local max = ...
  if count == 1 and max == nil then return A.bad_argument(1, 'get_post_args', 'number', max) end
  max = A.check_max(max, 1, 'get_post_args')
  local R = S.R
  if not R.body_read then
    return raise('no request body found; maybe you should turn on lua_need_request_body?')
  end
  if R.body_file then return nil, 'request body in temp file not supported' end
  return A.parse_args(in_memory(R) or '', max, true)
end

-- ---------------------------------------------------------------------- writing
local function must_be_read(R)
  if not R.body_read then return raise('request body not read yet') end
end

local function replace(R, body, file, auto_clean)
  R.body, R.body_file, R.body_read, R.new_body, R.new_in_file = body, file, true, nil, nil
  host.replace_body(body, file, auto_clean == true)
end

local function set_body_data_for(prepare)
  return function(...)
    local count = select('#', ...)
    if count ~= 1 then return raise('expecting 1 arguments but seen ' .. count) end
    local body = A.check_string((...), 1, 'set_body_data')
    local R = S.R
    prepare(R)
    if body == '' then body = nil end
    replace(R, body, nil)
  end
end

local function set_body_file_for(prepare)
  return function(...)
    local count = select('#', ...)
    if count < 1 or count > 2 then return raise('expecting 1 or 2 arguments but seen ' .. count) end
    local path, auto_clean = ...
    path = A.check_string(path, 1, 'set_body_file')
    A.check_boolean(auto_clean, 2, 'set_body_file', count)
    local R = S.R
    prepare(R)
    -- Through the body a sandboxed script could read any file, and by auto_clean remove it.
    if R.isolate.sandboxed and path ~= R.body_file then
      return raise('"' .. path .. '" is not the file of this request\'s body' ..
                   ' (lua_sandbox = false allows others)')
    end
    if not host.body_file_exists(path) then return raise('stat() "' .. path .. '" failed') end
    replace(R, nil, path, auto_clean)
  end
end

local function init_body_for(prepare)
  return function(...)
    local count = select('#', ...)
    if count > 1 then return raise('expecting 0 or 1 argument but seen ' .. count) end
    local R = S.R
    prepare(R)
    local size
    if count == 1 then
      size = A.check_number((...), 1, 'init_body')
      if size < 0 then return raise('bad size argument: ' .. A.number_text(size)) end
      size = size - size % 1
    end
    host.drop_body()
    R.body, R.body_file = nil, nil
    R.new_body, R.new_count, R.new_size, R.new_in_file = {}, 0, 0, nil
    R.new_limit = size or host.body_buffer_size()
  end
end

-- Adds a text to the body's file: to write 64 MB takes 50 ms.
local function append_to_file(text)
  local path, err
  for first = 1, #text, SIZE do
    path, err = host.append_to_body_file(sub(text, first, first + SIZE - 1))
    if not path then return raise(err) end
  end
  return path
end

local function append_body(...)
  local count = select('#', ...)
  if count ~= 1 then return raise('expecting 1 arguments but seen ' .. count) end
  local text = A.check_string((...), 1, 'append_body')
  local R = S.R
  local parts = R.new_body
  if not parts then return raise('request_body not initialized') end
  R.new_count, R.new_size = R.new_count + 1, R.new_size + #text
  parts[R.new_count] = text
  if R.new_size > R.new_limit and text ~= '' then
    local path
    for i = 1, R.new_count do path = append_to_file(parts[i]) or path end
    R.new_in_file, R.body_file, R.new_body, R.new_count = true, path, {}, 0
  end
end

local function finish_body(...)
  local count = select('#', ...)
  if count > 0 then return raise('expecting 0 argument but seen ' .. count) end
  local R = S.R
  if not R.new_body then return raise('request_body not initialized') end
  if R.new_in_file then return host.set_content_length(R.new_size) end
  local parts, n, size, limit = R.new_body, R.new_count, R.new_size, R.new_limit
  replace(R, in_memory(R) or '', nil)
  -- As in OpenResty more may be appended to a body that was finished.
  R.new_body, R.new_count, R.new_size, R.new_limit = parts, n, size, limit
end

-- ---------------------------------------------------------------------- installation
local function install(I)
  local c, n = I.cd.req, I.ngx.req
  A.define(c, n, 'read_body', read_body)
  A.define(c, n, 'discard_body', discard_body)
  A.define(c, n, 'get_body_data', get_body_data_cd, get_body_data_ngx)
  A.define(c, n, 'get_body_file', get_body_file_cd, get_body_file_ngx)
  A.define(c, n, 'get_post_args', get_post_args_cd, get_post_args_ngx)
  A.define(c, n, 'set_body_data', set_body_data_for(read), set_body_data_for(must_be_read))
  A.define(c, n, 'set_body_file', set_body_file_for(read), set_body_file_for(must_be_read))
  A.define(c, n, 'init_body', init_body_for(read), init_body_for(must_be_read))
  A.define(c, n, 'append_body', append_body)
  A.define(c, n, 'finish_body', finish_body)
  I.cd.get_post_args = A.method(get_post_args_cd, I.cd, I.ngx)
end

return {install = install, read = read}
