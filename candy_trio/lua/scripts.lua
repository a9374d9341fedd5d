-- Compiling: a script becomes a factory of closures, one closure a request over globals of its own.
--
-- A script is compiled twice: plain, for its syntax errors and so that no text can break out of
-- what is put around it, and once as the body of a function on the same first line. A fresh
-- closure over fresh globals keeps a LuaJIT trace usable for all requests, which loading the
-- text again would not; and setfenv on a closure that two requests share is wrong as soon as
-- they interleave.

local K, host, environments = ...

local error, select, type = error, select, type
local native_load, load_parts = loadstring or load, load
local native_setfenv = setfenv
local getinfo = debug.getinfo
local byte, dump, find, gsub, sub = string.byte, string.dump, string.find, string.gsub, string.sub
local clock, concat = os.clock, K.library.table.concat
local isyieldable, yield = coroutine.isyieldable, coroutine.yield
local raise, bad_argument, S = K.raise, K.bad_argument, K.S

local HAS_ENV = native_setfenv == nil           -- 5.2 and newer
local SIGNATURE = 27                             -- first byte of compiled code

-- Text that Lua's loadfile accepts and load does not: a first line that starts with "#".
local function without_shebang(source)
  if byte(source, 1) == 0x23 then return (gsub(source, '^[^\n]*', '', 1)) end
  if sub(source, 1, 3) == '\239\187\191' then return sub(source, 4) end
  return source
end

local function is_bytecode(text) return byte(text, 1) == SIGNATURE end

-- ---------------------------------------------------------------------- what 5.1 gets wrong
-- PUC-Lua 5.1 makes too little room for a function that has named parameters before "...": called
-- with fewer arguments, it writes as many slots past the end of its stack (CVE-2014-5461, mended
-- in 5.2.3). The slots that Lua keeps in reserve absorb MAX_NAMED of them; a function with more is
-- refused, for a script could corrupt the server's memory with it. What the source says, comments
-- and strings hide; the dumped code says it plainly: a header with the sizes of all that follows,
-- then functions within functions (lundump.c of 5.1).
local MAX_NAMED = 3         -- of 5 reserved slots (EXTRA_STACK); the call of a metamethod uses 2
local DUMP_HEADER = 12      -- bytes: signature, version, format, byte order, five sizes, kind of number
local INSTRUCTION = 4       -- bytes
local NIL, BOOLEAN, NUMBER = 0, 1, 3     -- kinds of constants; the fourth is a string

-- The line of a function in `code` with more than MAX_NAMED parameters before "...", or nil.
local function overrunning(code)
  local little_endian = byte(code, 7) == 1
  local int_size, size_size, number_size = byte(code, 8), byte(code, 9), byte(code, 11)
  local at, found = DUMP_HEADER + 1, nil
  local function unsigned(size)
    local value = 0
    for i = 0, size - 1 do
      value = value * 256 + byte(code, little_endian and at + size - 1 - i or at + i)
    end
    at = at + size
    return value
  end
  local function skip_strings(count)
    for _ = 1, count do
      local length = unsigned(size_size)
      at = at + length
    end
  end
  local function read_function()
    skip_strings(1)                                 -- its source
    local line = unsigned(int_size)
    local named, vararg = byte(code, at + int_size + 1, at + int_size + 2)
    if vararg ~= 0 and named > MAX_NAMED then found = found or line end
    at = at + int_size + 4                          -- its last line, and four bytes of counts
    local instructions = unsigned(int_size)
    at = at + instructions * INSTRUCTION
    for _ = 1, unsigned(int_size) do                -- constants
      local kind = byte(code, at)
      at = at + 1
      if kind == BOOLEAN then
        at = at + 1
      elseif kind == NUMBER then
        at = at + number_size
      elseif kind ~= NIL then
        skip_strings(1)
      end
    end
    for _ = 1, unsigned(int_size) do read_function() end
    local lines = unsigned(int_size)
    at = at + lines * int_size
    for _ = 1, unsigned(int_size) do                -- locals: name, first and last instruction
      skip_strings(1)
      at = at + 2 * int_size
    end
    skip_strings(unsigned(int_size))                -- names of upvalues
  end
  read_function()
  return found
end

-- Why `f`, just compiled from `source`, must not run; or nil.
local function danger(f, source)
  local line = find(source, '...', 1, true) and overrunning(dump(f))
  if not line then return nil end
  return getinfo(f, 'S').short_src .. ':' .. line .. ': more than ' .. MAX_NAMED ..
         ' named parameters before "..." are not safe on PUC-Lua 5.1 (CVE-2014-5461):' ..
         ' take the others from "...", or use another engine'
end

-- ---------------------------------------------------------------------- compiling
-- load of text only, with the given globals; from `reader`, if there is one, which gives the source
-- part by part.
local compile_plain
if HAS_ENV then
  function compile_plain(source, name, env, reader)
    return native_load(reader or source, name, 't', env)
  end
else
  function compile_plain(source, name, env, reader)
    if is_bytecode(source) then return nil, 'attempt to load bytecode (text expected)' end
    local f, err
    if reader then f, err = load_parts(reader, name) else f, err = native_load(source, name) end
    if f and K.is_51 then
      err = danger(f, source)
      if err then return nil, err end
    end
    if not f then return nil, err end
    return native_setfenv(f, env)
  end
end

-- To compile is one C call, and some texts take the square of their length: 100 KB of "a or a or ..."
-- a second. How long a text takes can't be told from it, so the time is looked at on the way. Only
-- what jumps to a place that comes later takes its time when that is reached, so it is counted.
local AT_ONCE = 4096        -- bytes: 5 ms for the worst of texts
local PART = 1024           -- bytes between two looks at the time: 5 ms where 12 have passed
local COMPILE_TIME = 0.012  -- seconds of the process: half a megabyte of what people write
local PAUSE = 0.002         -- seconds, behind which the run gives up its turn by itself
local MAX_JUMPS = 1500      -- "goto" and "break": up to 2 ns by their square
local TOO_LONG = 'chunk takes too long to compile: at most 12 ms, and ' .. MAX_JUMPS ..
                 ' "goto" and "break", for a sandboxed script'

-- How often `word` ends in bytes from..to of `source`, wherever it stands.
local function count_word(word, source, from, to)
  local start = from - #word + 1
  local part = sub(source, start > 0 and start or 1, to)
  local count, at = 0, 1
  while true do
    local _, last = find(part, word, at, true)
    if not last then return count end
    count, at = count + 1, last + 1
  end
end

local function compile_in_time(source, name, env)
  if #source <= AT_ONCE then return compile_plain(source, name, env) end
  local begun, from, jumps, given_up = clock(), 1, 0, false
  local function reader()
    if from > #source then return nil end
    local to = from + PART - 1
    jumps = jumps + count_word('goto', source, from, to) + count_word('break', source, from, to)
    if jumps > MAX_JUMPS or clock() - begun > COMPILE_TIME then
      given_up = true
      return nil
    end
    local part = sub(source, from, to)
    from = to + 1
    return part
  end
  local f, err = compile_plain(source, name, env, reader)
  -- A slice that ends in the reader, which Lua calls from C, ends nothing, and the next comes later.
  if isyieldable and isyieldable() and clock() - begun > PAUSE then yield() end
  if given_up then return nil, TOO_LONG end
  return f, err
end

-- load of compiled code, which can break any rule: for trusted scripts.
local function load_bytecode(code, name, env)
  if HAS_ENV then return native_load(code, name, 'b', env) end
  local f, err = native_load(code, name)
  if not f then return nil, err end
  return native_setfenv(f, env)
end

local factory_of
if HAS_ENV then
  function factory_of(source, name)
    local made = native_load('local _ENV = ... return function(...) ' .. source .. '\nend', name, 't')
    return made   -- called with the globals
  end
else
  function factory_of(source, name)
    -- 5.1 declares a hidden local `arg` in a vararg function that does not use `...`.
    local parameters = (not K.is_51 or find(source, '...', 1, true)) and '...' or ''
    local made = native_load('return function(' .. parameters .. ') ' .. source .. '\nend', name)
    if not made then return nil end
    return function(env) return native_setfenv(made(), env) end
  end
end

-- Gives a function(globals) → closure, or nil and Lua's message.
local function compile(source, name)
  source = without_shebang(source)
  local plain, err = compile_plain(source, name, {})
  if not plain then return nil, err end
  -- The wrapper takes one level of nesting: text at Lua's own limits is loaded for each request.
  return factory_of(source, name)
      or function(env) return compile_plain(source, name, env) end
end

-- ---------------------------------------------------------------------- load, loadstring
local function gathered(reader)
  local pieces, n = {}, 0
  while true do
    local piece = reader()
    if piece == nil or piece == '' then return concat(pieces, '', 1, n) end
    if type(piece) ~= 'string' then return nil, 'reader function must return a string' end
    n = n + 1
    pieces[n] = piece
  end
end

-- A chunk name of ours would hide its functions from tracebacks.
local function chunk_name(name, default)
  if name == nil then name = default end
  if type(name) == 'number' then name = name .. '' end
  if type(name) ~= 'string' then return bad_argument(2, 'load', 'string', name) end
  if find(name, '^[=@]%[candy') then return '=(load)' end
  return name
end

local function loader(trusted)
  local compile_text = trusted and compile_plain or compile_in_time
  return function(chunk, name, mode, ...)
    local text = chunk
    if type(chunk) == 'number' then text = chunk .. '' end
    if type(chunk) == 'function' then
      local err
      text, err = gathered(chunk)
      if not text then return nil, err end
      name = chunk_name(name, '=(load)')
    elseif type(text) ~= 'string' then
      return bad_argument(1, 'load', 'string', chunk)
    else
      name = chunk_name(name, text)
    end
    local binary = is_bytecode(text)
    if binary and (not trusted or mode == 't') or not binary and mode == 'b' then
      return nil, 'attempt to load a ' .. (binary and 'binary' or 'text') ..
                  " chunk (mode is '" .. (binary and 't' or 'b') .. "')"
    end
    local env
    if select('#', ...) > 0 then env = ... else env = S.R.globals end
    if not HAS_ENV and type(env) ~= 'table' then return bad_argument(4, 'load', 'table', env) end
    local f, err
    if binary then f, err = load_bytecode(text, name, env) else f, err = compile_text(text, name, env) end
    -- load catches what ends the run everywhere else.
    if f then return f end
    K.caught(err)
    return nil, err
  end
end

local script_load, trusted_load = loader(false), loader(true)

local function loadstring_for(load_text)
  return function(text, name)
    if type(text) ~= 'string' and type(text) ~= 'number' then
      return bad_argument(1, 'loadstring', 'string', text)
    end
    return load_text(text, name)
  end
end

local function trusted_loadfile(path, mode, ...)
  if type(path) ~= 'string' then return bad_argument(1, 'loadfile', 'string', path) end
  local text, err = host.read_file(path)
  if not text then return nil, err end
  return trusted_load(without_shebang(text), '@' .. path, mode, ...)
end

local function trusted_dofile(path)
  local f, err = trusted_loadfile(path)
  if not f then return error(err, 0) end
  return f()
end

local function install(env, I)
  env.load = I.sandboxed and script_load or trusted_load
  env.loadstring = loadstring_for(env.load)
  env.getfenv, env.setfenv = environments.getfenv, environments.setfenv
  if not I.sandboxed then env.loadfile, env.dofile = trusted_loadfile, trusted_dofile end
end

return {
  compile = compile, compile_plain = compile_plain, without_shebang = without_shebang,
  install = install,
}
