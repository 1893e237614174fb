-- Compiles the chunks that come in, and answers each with its code or with the message.
-- In: the length and bytes of the source, then of the chunk's name. Out: "+" or "-", the length, the bytes.
local function field()
  local length = io.read("*n")
  if not length then return nil end
  io.read(1)
  return length == 0 and "" or io.read(length)
end
for source in field do
  local f, message = loadstring(source, field())
  local answer = f and string.dump(f) or message
  io.write(f and "+" or "-", #answer, "\n", answer)
end
