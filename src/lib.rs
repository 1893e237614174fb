//! evalsha: a Redis Lua-scripting playground that runs wholly in the browser.

pub mod lua;
