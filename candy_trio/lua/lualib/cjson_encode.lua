-- cjson.encode: pieces in a table, one concat.
--
-- One flat loop, a round for each member and element of any table; the stack is a table, so no depth
-- of nesting takes any of Lua's or C's. All that a call needs is in its locals: calls may interleave.

local values, pieces_of = ...

local next, rawget, type = next, rawget, type
local rep, join = string.rep, pieces_of.join
local is_unsupported, key_text, other_text, quote, shape, too_deep =
      values.is_unsupported, values.key_text, values.other_text, values.quote, values.shape, values.too_deep
local new_buffer = values.new_buffer

-- The text of `value`; or nil and the problem.
local function encode(value, cfg)
  local how, limit = cfg.style, cfg.encode_limit
  local indent, skip = how.indent, cfg.encode_skip_unsupported_value_types
  local kind = type(value)
  if kind == 'string' then return quote(value, how) end
  if kind ~= 'table' then
    if skip and is_unsupported(value) then return '' end
    return other_text(value, cfg)
  end
  local pieces, m, out = {}, 0, new_buffer and new_buffer()
  local t, key, length, raw        -- the innermost table, its last key, and what shape() says of it
  local tables, keys, lengths, raws, depth = {}, {}, {}, {}, 0
  local lead, comma = '', ','      -- what goes before the next member, what before those after it
  local opened = value
  while true do
    if opened then
      tables[depth], keys[depth], lengths[depth], raws[depth] = t, key, length, raw
      depth = depth + 1
      if depth > limit then return nil, too_deep(depth) end
      t, opened = opened, nil
      length, raw = shape(t, cfg)
      if not length then return nil, raw end
      if length < 0 then lead, key = '{', nil else lead, key = '[', 0 end
      if indent then
        comma = ',\n' .. rep(indent, depth)
        lead = lead .. '\n' .. rep(indent, depth)
      end
    end

    local v
    if length < 0 then
      key, v = next(t, key)
    elseif key < length then
      key = key + 1
      if raw then v = rawget(t, key) else v = t[key] end
    else
      key = nil
    end

    if key == nil then                             -- the end of the table
      local bracket = length < 0 and '}' or ']'
      if lead ~= comma then
        bracket = length < 0 and '{}' or '[]'
      elseif indent then
        bracket = '\n' .. rep(indent, depth - 1) .. bracket
      end
      m = m + 1
      pieces[m] = bracket
      depth = depth - 1
      if depth == 0 then return join(pieces, m) end
      t, key, length, raw = tables[depth], keys[depth], lengths[depth], raws[depth]
      if indent then comma = ',\n' .. rep(indent, depth) end
      lead = comma
    else
      local text, problem
      if length < 0 then
        text = how.keys[key]
        if not text then
          text, problem = key_text(key, how, cfg, out)
          if not text then return nil, problem end
        end
      end
      kind = type(v)
      if not (skip and is_unsupported(v)) then
        m = m + 1
        pieces[m] = lead
        lead = comma
        if text then
          m = m + 1
          pieces[m] = text
        end
        if kind == 'table' then
          opened = v
        else
          if kind == 'string' then
            text = quote(v, how, out)
          else
            text, problem = other_text(v, cfg)
            if not text then return nil, problem end
          end
          m = m + 1
          pieces[m] = text
        end
      end
    end
  end
end

return encode
