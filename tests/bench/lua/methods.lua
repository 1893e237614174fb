local Account = {}
Account.__index = Account
function Account:deposit(n) self.balance = self.balance + n return self end
local account = setmetatable({ balance = 0 }, Account)
for i = 1, 1500000 do account:deposit(i) end
return account.balance
