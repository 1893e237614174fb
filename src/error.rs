//! Every error text that Redis prints, once.
//!
//! Long because it is a table.

use crate::lua::bytes::{find, within};
use crate::number::c_string;
use std::borrow::Cow;

/// A Redis error: code and message as a client receives them, without the leading dash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(pub Cow<'static, [u8]>);

impl Error {
    /// Bytes that a code may have.
    const MAX_CODE: usize = 30;

    const fn fixed(text: &'static str) -> Error {
        Error(Cow::Borrowed(text.as_bytes()))
    }

    /// An error whose text is made at run time, code included. Line ends become spaces: an error is one line.
    pub fn new(text: impl Into<Vec<u8>>) -> Error {
        let mut text = text.into();
        spaces_for_line_ends(&mut text);
        Error(Cow::Owned(text))
    }

    /// The code, by which INFO errorstats counts: the first word, if a space follows it and it is not long.
    pub fn code(&self) -> &[u8] {
        let end = self.0.iter().take(Error::MAX_CODE + 1).position(|&byte| byte == b' ');
        end.map_or(b"ERR", |end| &self.0[..end])
    }
}

/// Puts a space in the place of each line end, eight bytes at a time: scripts make errors of megabytes.
fn spaces_for_line_ends(text: &mut [u8]) {
    let spaces = u64::from_le_bytes([b' '; 8]);
    let places = |word: u64, byte: u8| within(word, byte, byte);
    let (words, rest) = text.as_chunks_mut();
    for bytes in words {
        let word = u64::from_le_bytes(*bytes);
        let ends = ((places(word, b'\r') | places(word, b'\n')) >> 7) * 0xff;
        *bytes = (word & !ends | spaces & ends).to_le_bytes();
    }
    for byte in rest.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')) {
        *byte = b' ';
    }
}

macro_rules! fixed {
    ($($name:ident $text:literal)*) => {
        impl Error { $(#[doc = concat!("`", $text, "`")] pub const $name: Error = Error::fixed($text);)* }
    };
}

fixed! {
    SYNTAX "ERR syntax error"
    NOT_INTEGER "ERR value is not an integer or out of range"
    NOT_FLOAT "ERR value is not a valid float"
    WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"
    NO_SUCH_KEY "ERR no such key"
    OUT_OF_RANGE "ERR value is out of range"
    INT_OUT_OF_RANGE "ERR value is out of range, value must between -2147483648 and 2147483647"
    DB_OUT_OF_RANGE "ERR DB index is out of range"
    INCREMENT_OVERFLOW "ERR increment or decrement would overflow"
    DECREMENT_OVERFLOW "ERR decrement would overflow"
    INCREMENT_NOT_FINITE "ERR increment would produce NaN or Infinity"
    NOT_FINITE "ERR value is NaN or Infinity"
    OFFSET_OUT_OF_RANGE "ERR offset is out of range"
    STRING_TOO_LONG "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
    LCS_NOT_STRINGS "ERR The specified keys must contain string values"
    LCS_LEN_AND_IDX "ERR If you want both the length and indexes, please just use IDX."
    LCS_OVER_LIMIT "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
    HASH_NOT_INTEGER "ERR hash value is not an integer"
    HASH_NOT_FLOAT "ERR hash value is not a float"
    NO_GOOD_REPLICAS "NOREPLICAS Not enough good replicas to write."
    OOM "OOM command not allowed when used memory > 'maxmemory'."
    NO_KEY_PERMISSION "NOPERM this user has no permissions to access one of the keys used as arguments"
    NO_CHANNEL_PERMISSION "NOPERM this user has no permissions to access one of the channels used as arguments"
    SCRIPT_NO_PERMISSION "ERR The user executing the script can't run this command or subcommand"
    SCRIPT_NO_KEY_PERMISSION "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments"
    SCRIPT_NO_CHANNEL_PERMISSION "ERR The user executing the script can't publish to the channel mentioned in the command"
    USER_NAME "ERR Usernames can't contain spaces or null characters"
    DEFAULT_USER "ERR The 'default' user cannot be removed"
    NO_ACL_FILE "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."
    GENPASS_BITS "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"
    SORT_BY_DENIED "ERR BY option of SORT denied due to insufficient ACL permissions."
    SORT_GET_DENIED "ERR GET option of SORT denied due to insufficient ACL permissions."
    NOT_IN_SCRIPT "ERR This Redis command is not allowed from script"
    WRITE_IN_READ_ONLY_SCRIPT "ERR Write commands are not allowed from read-only scripts."
    INVALID_SHEBANG "ERR Invalid script shebang"
    INVALID_SHEBANG_ENGINE "ERR Invalid engine in script shebang"
    NEGATIVE_KEYS "ERR Number of keys can't be negative"
    BIT_OFFSET "ERR bit offset is not an integer or out of range"
    BIT_VALUE "ERR bit is not an integer or out of range"
    BIT_WANTED "ERR The bit argument must be 1 or 0."
    BITOP_NOT "ERR BITOP NOT must be called with a single source key."
    BITFIELD_OVERFLOW "ERR Invalid OVERFLOW type specified"
    BITFIELD_READ_ONLY "ERR BITFIELD_RO only supports the GET subcommand"
    BITFIELD_TYPE "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
    NOT_HYPERLOGLOG "WRONGTYPE Key is not a valid HyperLogLog string value."
    CORRUPT_HYPERLOGLOG "INVALIDOBJ Corrupted HLL object detected"
    HYPERLOGLOG_NOT_SPARSE "ERR HLL encoding is not sparse"
    PFDEBUG_NO_KEY "ERR The specified key does not exist"
    SELF_TEST_DISAGREES "TESTFAILED dense/sparse disagree"
    SELF_TEST_ERROR "TESTFAILED Too big error."
    SORT_SCORE "ERR One or more scores can't be converted into double"
    SCORE_NAN "ERR resulting score is not a number (NaN)"
    XX_WITH_NX "ERR XX and NX options at the same time are not compatible"
    GT_LT_WITH_NX "ERR GT, LT, and/or NX options at the same time are not compatible"
    ONE_INCREMENT "ERR INCR option supports a single increment-element pair"
    LIMIT_BY_RANK "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
    SCORES_BY_LEX "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
    SCORE_RANGE "ERR min or max is not a float"
    LEX_RANGE "ERR min or max not valid string range item"
    WEIGHT "ERR weight value is not a float"
    UNIT "ERR unsupported unit provided. please use M, KM, FT, MI"
    RADIUS "ERR need numeric radius"
    RADIUS_NEGATIVE "ERR radius cannot be negative"
    WIDTH "ERR need numeric width"
    HEIGHT "ERR need numeric height"
    BOX_NEGATIVE "ERR height or width cannot be negative"
    NO_PLACE "ERR could not decode requested zset member"
    COUNT_ZERO "ERR COUNT must be > 0"
    ANY_WITHOUT_COUNT "ERR the ANY argument requires COUNT argument"
    RADIUS_STORES "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
    SEARCH_STORES "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
    LIMIT_NEGATIVE "ERR LIMIT can't be negative"
    TOO_MANY_KEYS "ERR Number of keys can't be greater than number of args"
    SCRIPT_FLUSH_MODE "ERR SCRIPT FLUSH only support SYNC|ASYNC option"
    SCRIPT_DEBUG_MODE "ERR Use SCRIPT DEBUG YES/SYNC/NO"
    DEBUG_EVALSHA "ERR Please use EVAL instead of EVALSHA for debugging"
    BUSY "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
    BUSY_FUNCTION "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
    SCRIPT_OOM "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
    WRITER_CALLED_READ_ONLY "ERR Can not execute a script with write flag using *_ro command."
    BAD_KEY_COUNT "ERR Bad number of keys provided"
    NO_FUNCTION "ERR Function not found"
    NO_LIBRARY "ERR Library not found"
    NO_METADATA "ERR Missing library metadata"
    INVALID_METADATA "ERR Invalid library metadata"
    NAME_TWICE "ERR Invalid metadata value, name argument was given multiple times"
    NO_LIBRARY_NAME "ERR Library name was not given"
    LIBRARY_NAME "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
    NO_FUNCTIONS "ERR No functions registered"
    LOAD_TIMEOUT "ERR FUNCTION LOAD timeout"
    FUNCTION_TWICE "ERR Function already exists in the library"
    REGISTER_LATE "ERR redis.register_function can only be called on FUNCTION LOAD command"
    REGISTER_ARGUMENTS "ERR wrong number of arguments to redis.register_function"
    REGISTER_TABLE "ERR calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments)."
    REGISTER_FIRST "ERR first argument to redis.register_function must be a string"
    REGISTER_SECOND "ERR second argument to redis.register_function must be a function"
    REGISTER_KEY "ERR named argument key given to redis.register_function is not a string"
    REGISTER_NAME_TYPE "ERR function_name argument given to redis.register_function must be a string"
    REGISTER_DESCRIPTION_TYPE "ERR description argument given to redis.register_function must be a string"
    REGISTER_CALLBACK_TYPE "ERR callback argument given to redis.register_function must be a function"
    REGISTER_FLAGS_TYPE "ERR flags argument to redis.register_function must be a table representing function flags"
    REGISTER_FLAG "ERR unknown flag given"
    REGISTER_UNKNOWN "ERR unknown argument given to redis.register_function"
    REGISTER_NO_NAME "ERR redis.register_function must get a function name argument"
    REGISTER_NO_CALLBACK "ERR redis.register_function must get a callback argument"
    FUNCTION_FLUSH_MODE "ERR FUNCTION FLUSH only supports SYNC|ASYNC option"
    NO_LIBRARY_PATTERN "ERR library name argument was not given"
    RESTORE_POLICY "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
    BAD_DATA_FORMAT "ERR Bad data format"
    BUSY_KEY "BUSYKEY Target key name already exists."
    INVALID_TTL "ERR Invalid TTL value, must be >= 0"
    INVALID_IDLETIME "ERR Invalid IDLETIME value, must be >= 0"
    INVALID_FREQ "ERR Invalid FREQ value, must be >= 0 and <= 255"
    DEBUG_NOT_ALLOWED "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server."
    DEBUG_CLUSTER "ERR Debug option only available for cluster mode enabled setup!"
    DEBUG_CLIENT_EVICTION "ERR maxmemory-clients is disabled."
    DEBUG_CONFIG_REWRITE "ERR CONFIG-REWRITE-FORCE-ALL failed: Bad address"
    DEBUG_DB_OUT_OF_RANGE "ERR Out of range database"
    DEBUG_PROTOCOL "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
    DEBUG_RESP2 "ERR RESP2 is not supported by this command"
    DEBUG_RELOAD_OPTION "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."
    DEBUG_RELOAD "ERR Error trying to load the RDB dump"
    PACKED_THRESHOLD "ERR argument must be a memory value bigger than 1 and smaller than 4gb"
    NOT_HASH_TABLE "ERR The value stored at the specified key is not represented using an hash table"
    NOT_LISTPACK "ERR Not a listpack encoded object."
    NOT_QUICKLIST "ERR Not a quicklist encoded object."
    BAD_PAYLOAD "ERR DUMP payload version or checksum are wrong"
    PAYLOAD_TYPE "ERR given type is not a function"
    PAYLOAD_NAME "ERR Failed loading library name"
    PAYLOAD_ENGINE "ERR Failed loading engine name"
    PAYLOAD_DESCRIBED "ERR Failed loading library description indicator"
    PAYLOAD_DESCRIPTION "ERR Failed loading library description"
    PAYLOAD_BLOB "ERR Failed loading library blob"
    PAYLOAD_CODE "ERR Failed loading library payload"
    NO_SCRIPT "NOSCRIPT No matching script. Please use EVAL."
    SCRIPT_NO_ARGUMENTS "ERR Please specify at least one argument for this redis lib call"
    SCRIPT_ARGUMENT_TYPE "ERR Lua redis lib command arguments must be strings or integers"
    SCRIPT_UNKNOWN_COMMAND "ERR Unknown Redis command called from script"
    SCRIPT_WRONG_ARITY "ERR Wrong number of args calling Redis command from script"
    SCRIPT_REPLY_ARGUMENTS "ERR wrong number or type of arguments"
    SCRIPT_SHA1_ARGUMENTS "ERR wrong number of arguments"
    SCRIPT_LOG_ARGUMENTS "ERR redis.log() requires two arguments or more."
    SCRIPT_LOG_LEVEL_TYPE "ERR First argument must be a number (log level)."
    SCRIPT_LOG_LEVEL "ERR Invalid debug level."
    SCRIPT_RESP_ARGUMENTS "ERR redis.setresp() requires one argument."
    SCRIPT_RESP_VERSION "ERR RESP version must be 2 or 3."
    SCRIPT_REPL_ARGUMENTS "ERR redis.set_repl() requires two arguments."
    SCRIPT_REPL_FLAGS "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."
    SCRIPT_ACL_COMMAND "ERR Invalid command passed to redis.acl_check_cmd()"
    SCRIPT_KILLED "ERR Script killed by user with SCRIPT KILL..."
    SCRIPT_STACK "ERR reached lua stack limit"
    SCRIPT_REPLY_TOO_LARGE "ERR the script's reply is too large"
    NO_AUTH "NOAUTH Authentication required."
    HELLO_NO_AUTH "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
    WRONG_PASS "WRONGPASS invalid username-password pair or user is disabled."
    AUTH_WITHOUT_PASSWORD "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
    NO_PROTO "NOPROTO unsupported protocol version"
    PROTOCOL_NOT_INTEGER "ERR Protocol version is not an integer or out of range"
    CLIENT_NAME "ERR Client names cannot contain spaces, newlines or special characters."
    INVALID_CLIENT_ID "ERR Invalid client ID"
    CLIENT_ID_NOT_POSITIVE "ERR client-id should be greater than 0"
    NO_SUCH_CLIENT "ERR No such client"
    WHILE_MONITORING "ERR Replica can't interact with the keyspace"
    MONITOR_IN_MULTI "ERR MONITOR isn't allowed for DENY BLOCKING client"
    SSUBSCRIBE_IN_MULTI "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"
    EXEC_WITHOUT_MULTI "ERR EXEC without MULTI"
    DISCARD_WITHOUT_MULTI "ERR DISCARD without MULTI"
    NESTED_MULTI "ERR MULTI calls can not be nested"
    WATCH_IN_MULTI "ERR WATCH inside MULTI is not allowed"
    EXEC_ABORTED "EXECABORT Transaction discarded because of previous errors."
    NOT_IN_TRANSACTION "ERR Command not allowed inside a transaction"
    UNBLOCKED "UNBLOCKED client unblocked via CLIENT UNBLOCK"
    PAUSE_MODE "ERR CLIENT PAUSE mode must be WRITE or ALL"
    UNBLOCK_REASON "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
    CACHING_WITHOUT_TRACKING "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
    TRACKING_PREFIX "ERR PREFIX option requires BCAST mode to be enabled"
    TRACKING_BCAST "ERR OPTIN and OPTOUT are not compatible with BCAST"
    TRACKING_OPTIN_OPTOUT "ERR You can't specify both OPTIN mode and OPTOUT mode"
    TRACKING_REDIRECT "ERR The client ID you want redirect to does not exist"
    TRACKING_REDIRECTS "ERR A client can only redirect to a single other client"
    TRACKING_ABSENT "ERR CLIENT TRACKING is not available: this server does not track keys"
    CLUSTER_DISABLED "ERR This instance has cluster support disabled"
    SLOWLOG_COUNT "ERR count should be greater than or equal to -1"
    MODULE_COMMAND "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server."
    NO_FAILOVER "ERR No failover in progress."
    FAILOVER_TIMEOUT "ERR FAILOVER timeout must be greater than 0"
    FAILOVER_REPLICAS "ERR FAILOVER requires connected replicas."
    MASTER_PORT "ERR Invalid master port"
    NO_MASTER "ERR REPLICAOF is not available: this server has no network"
    NO_REPLICAS "ERR SYNC and PSYNC are not available: this server has no replicas"
    REPLICA_FILTER "ERR Missing rdb-filter-only values"
    NO_FILES "ERR saving is not available: this server has no files"
    MIGRATE_KEYS "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
    MIGRATE_CONNECT "IOERR error or timeout connecting to the client"
    NO_CONFIG_FILE "ERR The server is running without a config file"
    INVALID_FIRST_DB "ERR invalid first DB index"
    INVALID_SECOND_DB "ERR invalid second DB index"
    NO_SHUTDOWN "ERR No shutdown in progress."
    SHUTDOWN_FAILED "ERR Errors trying to SHUTDOWN. Check logs."
    INVALID_COMMAND "ERR Invalid command specified"
    NO_KEY_ARGUMENTS "ERR The command has no key arguments"
    INVALID_ARGUMENT_COUNT "ERR Invalid number of arguments specified for command"
    INVALID_ARGUMENTS "ERR Invalid arguments specified for command"
    SAME_OBJECT "ERR source and destination objects are the same"
    EXPIRE_NX_WITH_OTHERS "ERR NX and XX, GT or LT options at the same time are not compatible"
    EXPIRE_GT_WITH_LT "ERR GT and LT options at the same time are not compatible"
    INVALID_CURSOR "ERR invalid cursor"
    TIMEOUT_NOT_INTEGER "ERR timeout is not an integer or out of range"
    TIMEOUT_NOT_FLOAT "ERR timeout is not a float or out of range"
    NOT_POSITIVE "ERR value is out of range, must be positive"
    INDEX_OUT_OF_RANGE "ERR index out of range"
    RANK_ZERO "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
    COUNT_NEGATIVE "ERR COUNT can't be negative"
    MAXLEN_NEGATIVE "ERR MAXLEN can't be negative"
    NUMKEYS_NOT_POSITIVE "ERR numkeys should be greater than 0"
    COUNT_NOT_POSITIVE "ERR count should be greater than 0"
    TIMEOUT_NEGATIVE "ERR timeout is negative"
    INVALID_STREAM_ID "ERR Invalid stream ID specified as stream command argument"
    INVALID_START_ID "ERR invalid start ID for the interval"
    INVALID_END_ID "ERR invalid end ID for the interval"
    XADD_ZERO_ID "ERR The ID specified in XADD must be greater than 0-0"
    XADD_LOW_ID "ERR The ID specified in XADD is equal or smaller than the target stream top item"
    XADD_NO_ID_LEFT "ERR The stream has exhausted the last possible ID, unable to add more items"
    XADD_TOO_LARGE "ERR Elements are too large to be stored"
    TRIM_TWICE "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
    TRIM_MAXLEN_NEGATIVE "ERR The MAXLEN argument must be >= 0."
    TRIM_LIMIT_NEGATIVE "ERR The LIMIT argument must be >= 0."
    TRIM_LIMIT_ALONE "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
    TRIM_LIMIT_EXACT "ERR syntax error, LIMIT cannot be used without the special ~ option"
    XTRIM_NO_STRATEGY "ERR syntax error, XTRIM must be called with a trimming strategy"
    XSETID_ADDED_NEGATIVE "ERR entries_added must be positive"
    XSETID_BELOW_GIVEN "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
    XSETID_BELOW_TOP "ERR The ID specified in XSETID is smaller than the target stream top item"
    XSETID_BELOW_LENGTH "ERR The entries_added specified in XSETID is smaller than the target stream length"
    XREAD_UNBALANCED "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
    XREAD_GROUP "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
    XREAD_NOACK "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
    XREAD_NEW "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
    XREADGROUP_NO_GROUP "ERR Missing GROUP option for XREADGROUP"
    XREADGROUP_LAST "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
    GROUP_GONE "NOGROUP the consumer group this client was blocked on no longer exists"
    STREAM_GONE "UNBLOCKED the stream key no longer exists"
    XGROUP_NO_KEY "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
    GROUP_EXISTS "BUSYGROUP Consumer Group name already exists"
    ENTRIESREAD_NEGATIVE "ERR value for ENTRIESREAD must be positive or -1"
    XAUTOCLAIM_COUNT "ERR COUNT must be > 0"
    XAUTOCLAIM_MEMORY "ERR Insufficient memory, failed allocating transient memory, COUNT too high."
    LFU_SELECTED "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
    LFU_NOT_SELECTED "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
    NOT_BUSY "NOTBUSY No scripts in execution right now."
    UNKILLABLE "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
    MULTIBULK_LENGTH "ERR Protocol error: invalid multibulk length"
    BULK_LENGTH "ERR Protocol error: invalid bulk length"
    STRANGERS_MULTIBULK_LENGTH "ERR Protocol error: unauthenticated multibulk length"
    STRANGERS_BULK_LENGTH "ERR Protocol error: unauthenticated bulk length"
    MULTIBULK_COUNT_TOO_LONG "ERR Protocol error: too big mbulk count string"
    BULK_COUNT_TOO_LONG "ERR Protocol error: too big bulk count string"
    INLINE_TOO_LONG "ERR Protocol error: too big inline request"
    MAX_CLIENTS "ERR max number of clients reached"
    UNBALANCED_QUOTES "ERR Protocol error: unbalanced quotes in request"
}

/// Appended to the error with which a script ends: its name, and where the error was raised.
pub fn script_position(sha: &str, source: &str, line: i64) -> String {
    format!(" script: {sha}, on {source}:{line}.")
}

impl Error {
    /// A client that has subscribed, in RESP2; `name` is the command's full name.
    pub fn while_subscribed(name: &str) -> Error {
        Error::new(format!(
            "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
        ))
    }

    /// EXEC is refused; so is its transaction.
    pub fn exec_aborted(why: &Error) -> Error {
        let why = why.0.strip_prefix(b"ERR ").unwrap_or(&why.0);
        Error::new([b"EXECABORT Transaction discarded because of: ", why].concat())
    }

    /// A script calls by itself what a look for a global variable calls, with more or less than two arguments.
    pub const GLOBAL_ARGUMENTS: &[u8] = b"Wrong number of arguments to luaProtectedTableError";
    /// A script reads a global variable that has no name.
    pub const GLOBAL_NAME_TYPE: &[u8] =
        b"Second argument to luaProtectedTableError must be a string or number";

    /// A script reads a global variable that is not there, as Lua sees it.
    pub fn unknown_global(name: &[u8]) -> Vec<u8> {
        [b"Script attempted to access nonexistent global variable '", c_string(name), b"'"].concat()
    }

    /// An error value of a script that carries no code: it gets the general one.
    pub fn from_script(message: &[u8]) -> Error {
        Error::new([b"ERR ", message].concat())
    }

    /// What `redis.error_reply` makes of a text: without a code it gets the general one. Line ends around the message
    /// go; others stay until it is sent.
    pub fn error_reply(text: &[u8]) -> Error {
        let text = c_string(text.strip_prefix(b"-").unwrap_or(text));
        let (code, message) = match find(b' ', text) {
            Some(space) => (&text[..space], &text[space + 1..]),
            None => (&b"ERR"[..], text),
        };
        let is_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let start = message.iter().take_while(is_end).count();
        let end = message.iter().rev().take_while(is_end).count();
        let message = message.get(start..message.len() - end).unwrap_or_default();
        Error(Cow::Owned([code, b" ", message].concat()))
    }

    /// A command that is in no table.
    pub fn unknown_command(name: &[u8], args: &[Vec<u8>]) -> Error {
        let mut text = b"ERR unknown command '".to_vec();
        text.extend_from_slice(&c_string(name)[..c_string(name).len().min(128)]);
        text.extend_from_slice(b"', with args beginning with: ");
        let mut shown = Vec::new();
        for arg in args {
            if shown.len() >= 128 {
                break;
            }
            let room = 128 - shown.len();
            let arg = c_string(arg);
            shown.push(b'\'');
            shown.extend_from_slice(&arg[..arg.len().min(room)]);
            shown.extend_from_slice(b"' ");
        }
        text.extend_from_slice(&shown);
        Error::new(text)
    }

    /// A container's subcommand that is in no table.
    pub fn unknown_subcommand(container: &str, name: &[u8]) -> Error {
        let mut text = b"ERR unknown subcommand '".to_vec();
        text.extend_from_slice(&c_string(name)[..c_string(name).len().min(128)]);
        text.extend_from_slice(b"'. Try ");
        text.extend_from_slice(container.to_ascii_uppercase().as_bytes());
        text.extend_from_slice(b" HELP.");
        Error::new(text)
    }

    /// PFDEBUG knows no such subcommand.
    pub fn unknown_pfdebug(name: &[u8]) -> Error {
        Error::new([b"ERR Unknown PFDEBUG subcommand '", c_string(name), b"'"].concat())
    }

    /// A script's shebang names another language.
    pub fn unexpected_engine(engine: &[u8]) -> Error {
        Error::new([b"ERR Unexpected engine in script shebang: ", engine].concat())
    }

    /// A script's shebang has a word that is no option.
    pub fn unknown_shebang_option(option: &[u8]) -> Error {
        Error::new([b"ERR Unknown lua shebang option: ", option].concat())
    }

    /// A script's shebang has a flag that does not exist.
    pub fn unexpected_flag(flag: &[u8]) -> Error {
        Error::new([b"ERR Unexpected flag in script shebang: ", flag].concat())
    }

    /// A script's text that is not Lua; `message` as the compiler words it.
    pub fn compile(message: &[u8]) -> Error {
        Error::new([b"ERR Error compiling script (new function): ", message].concat())
    }

    /// A library's text that is not Lua; `message` as the compiler words it.
    pub fn compile_function(message: &[u8]) -> Error {
        Error::new([b"ERR Error compiling function: ", c_string(message)].concat())
    }

    /// A library's body has failed.
    pub fn registering(message: &[u8]) -> Error {
        Error::new([b"ERR Error registering functions: ", message].concat())
    }

    /// A library's shebang has a word that it cannot have.
    pub fn invalid_metadata(word: &[u8]) -> Error {
        Error::new([b"ERR Invalid metadata value given: ", c_string(word)].concat())
    }

    /// A library's shebang names another language.
    pub fn no_engine(name: &[u8]) -> Error {
        Error::new([b"ERR Engine '", c_string(name), b"' not found"].concat())
    }

    /// FUNCTION LOAD of a library that is there.
    pub fn library_exists_quoted(name: &[u8]) -> Error {
        Error::new([b"ERR Library '", name, b"' already exists"].concat())
    }

    /// FUNCTION RESTORE of a library that is there.
    pub fn library_exists(name: &[u8]) -> Error {
        Error::new([b"ERR Library ", name, b" already exists"].concat())
    }

    /// A function's name is taken by another library.
    pub fn function_exists(name: &[u8]) -> Error {
        Error::new([b"ERR Function ", name, b" already exists"].concat())
    }

    /// FUNCTION LOAD knows no such option.
    pub fn unknown_option(word: &[u8]) -> Error {
        Error::new([b"ERR Unknown option given: ", last_word(word)].concat())
    }

    /// FUNCTION LIST knows no such argument.
    pub fn unknown_argument(word: &[u8]) -> Error {
        Error::new([b"ERR Unknown argument ", c_string(word)].concat())
    }

    /// An integer that is not between two limits.
    pub fn not_between(low: i64, high: i64) -> Error {
        Error::new(format!("ERR value is out of range, value must between {low} and {high}"))
    }

    /// An argument of an array does not begin with its length.
    pub fn expected_dollar(byte: u8) -> Error {
        let mut text = b"ERR Protocol error: expected '$', got '".to_vec();
        text.extend_from_slice(&[byte, b'\'']);
        Error::new(text)
    }

    /// A place that is none; its degrees as C's `%f` prints them.
    pub fn invalid_place(longitude: &[u8], latitude: &[u8]) -> Error {
        let start: &[u8] = b"ERR invalid longitude,latitude pair ";
        Error::new([start, longitude, b",", latitude].concat())
    }

    /// GEOSEARCH does not say where to look; `name` is the command's as it was typed.
    pub fn exactly_one_of(options: &str, name: &[u8]) -> Error {
        let options = options.as_bytes();
        let name = c_string(name);
        Error::new([b"ERR exactly one of ", options, b" can be specified for ", name].concat())
    }

    /// Several sorted sets are asked for, and none is named; `name` is the command's.
    pub fn no_input_key(name: &str) -> Error {
        Error::new(format!("ERR at least 1 input key is needed for '{name}' command"))
    }

    /// Too few or too many arguments; `name` is the full name, `config|get`.
    pub fn wrong_arity(name: &str) -> Error {
        Error::new(format!("ERR wrong number of arguments for '{name}' command"))
    }
}

impl Error {
    /// A user may not run the command of this full name.
    pub fn no_permission(name: &str) -> Error {
        Error::new(format!("NOPERM this user has no permissions to run the '{name}' command"))
    }

    /// A queued command that its user may not run any more; `why` is one of [`reason`].
    pub fn no_longer_permitted(why: &str) -> Error {
        Error::new(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: "
                .to_owned()
                + why,
        )
    }

    /// ACL SETUSER of a rule that is refused; `why` is one of [`reason`].
    pub fn acl_rule(rule: &[u8], why: &str) -> Error {
        let start: &[u8] = b"ERR Error in ACL SETUSER modifier '";
        Error::new([start, c_string(rule), b"': ", why.as_bytes()].concat())
    }

    /// A selector that does not end.
    pub fn unmatched_parenthesis(rule: &[u8]) -> Error {
        let start: &[u8] = b"ERR Unmatched parenthesis in acl selector starting at '";
        Error::new([start, c_string(rule), b"'."].concat())
    }

    /// ACL CAT knows no such category.
    pub fn unknown_category(name: &[u8]) -> Error {
        Error::new([b"ERR Unknown category '", c_string(name), b"'"].concat())
    }

    /// ACL DRYRUN knows no such user.
    pub fn user_not_found(name: &[u8]) -> Error {
        Error::new([b"ERR User '", c_string(name), b"' not found"].concat())
    }

    /// ACL DRYRUN knows no such command.
    pub fn command_not_found(name: &[u8]) -> Error {
        Error::new([b"ERR Command '", c_string(name), b"' not found"].concat())
    }

    /// CONFIG SET of a parameter that does not exist.
    pub fn unknown_config(name: &[u8]) -> Error {
        Error::new(
            [b"ERR Unknown option or number of arguments for CONFIG SET - '", name, b"'"].concat(),
        )
    }

    /// CONFIG SET of a value that is refused; `why` is one of [`reason`].
    pub fn config_set(name: &[u8], why: &str) -> Error {
        let start: &[u8] = b"ERR CONFIG SET failed (possibly related to argument '";
        Error::new([start, name, b"') - ", why.as_bytes()].concat())
    }

    /// The options of EXPIRE know no such word.
    pub fn unsupported_option(word: &[u8]) -> Error {
        Error::new([b"ERR Unsupported option ", last_word(word)].concat())
    }

    /// An option that HELLO does not know, or that lacks its argument.
    pub fn hello_option(word: &[u8]) -> Error {
        Error::new([b"ERR Syntax error in HELLO option '", c_string(word), b"'"].concat())
    }

    /// CLIENT LIST and CLIENT KILL know no such type.
    pub fn unknown_client_type(name: &[u8]) -> Error {
        Error::new([b"ERR Unknown client type '", c_string(name), b"'"].concat())
    }

    /// CLIENT KILL of a user that does not exist.
    pub fn no_such_user(name: &[u8]) -> Error {
        Error::new([b"ERR No such user '", c_string(name), b"'"].concat())
    }

    /// CLIENT TRACKING of prefixes of which one begins with the other.
    pub fn prefixes_overlap(first: &[u8], second: &[u8]) -> Error {
        let (middle, end): (&[u8], &[u8]) = (
            b"' overlaps with another provided prefix '",
            b"'. Prefixes for a single client must not overlap.",
        );
        Error::new([b"ERR Prefix '", c_string(first), middle, c_string(second), end].concat())
    }

    /// LATENCY GRAPH of what was never slow.
    pub fn no_samples(event: &[u8]) -> Error {
        Error::new([b"ERR No samples available for event '", c_string(event), b"'"].concat())
    }

    /// REPLCONF knows no such option.
    pub fn unknown_replconf(option: &[u8]) -> Error {
        Error::new([b"ERR Unrecognized REPLCONF option: ", c_string(option)].concat())
    }

    /// A replica wants something else than functions alone.
    pub fn unsupported_filter(word: &[u8]) -> Error {
        Error::new([b"ERR Unsupported rdb-filter-only option: ", c_string(word)].concat())
    }

    /// A replica's host name is too long.
    pub fn replica_address(length: usize) -> Error {
        Error::new(format!(
            "ERR REPLCONF ip-address provided by replica instance is too long: {length} bytes"
        ))
    }

    /// A subcommand that takes as many arguments as its row says, but not these.
    pub fn wrong_subcommand_arity(name: &[u8], container: &str) -> Error {
        let start: &[u8] = b"ERR unknown subcommand or wrong number of arguments for '";
        Error::new([start, c_string(name), b"'. Try ", container.as_bytes(), b" HELP."].concat())
    }

    /// A stream's group that does not exist, or its key; `asker` says where, if at all.
    pub fn no_group(key: &[u8], group: &[u8], asker: &str) -> Error {
        let key: &[u8] = &[b"NOGROUP No such key '", c_string(key)].concat();
        Error::new(
            [key, b"' or consumer group '", c_string(group), b"'", asker.as_bytes()].concat(),
        )
    }

    /// A group that does not exist, of a stream that does.
    pub fn no_such_group(key: &[u8], group: &[u8]) -> Error {
        let group: &[u8] = &[b"NOGROUP No such consumer group '", c_string(group)].concat();
        Error::new([group, b"' for key name '", c_string(key), b"'"].concat())
    }

    /// A script calls XREAD or XREADGROUP, named as it names it, so that it would wait.
    pub fn block_in_script(name: &[u8]) -> Error {
        let name = c_string(name);
        Error::new(
            [b"ERR ", name, b" command is not allowed with BLOCK option from scripts"].concat(),
        )
    }

    /// XCLAIM and XAUTOCLAIM: an argument that is no integer.
    pub fn claim_argument(what: &str, command: &str) -> Error {
        Error::new(["ERR Invalid ", what, " argument for ", command].concat())
    }

    /// XCLAIM knows no such option, or it lacks its argument.
    pub fn claim_option(word: &[u8]) -> Error {
        Error::new([b"ERR Unrecognized XCLAIM option '", c_string(word), b"'"].concat())
    }

    /// A deadline that does not fit 64 bits; `name` is the command's.
    pub fn invalid_expire(name: &str) -> Error {
        Error::new(format!("ERR invalid expire time in '{name}' command"))
    }
}

/// Why CONFIG SET refuses a value, ACL SETUSER a rule, and EXEC a command.
pub mod reason {
    macro_rules! reasons {
        ($($name:ident $text:literal)*) => {
            $(#[doc = concat!("`", $text, "`")] pub const $name: &str = $text;)*
        };
    }
    reasons! {
        IMMUTABLE "can't set immutable config"
        PROTECTED "can't set protected config"
        DUPLICATE "duplicate parameter"
        BOOL "argument must be 'yes' or 'no'"
        INTEGER "argument couldn't be parsed into an integer"
        MEMORY "argument must be a memory value"
        MEMORY_OR_PERCENT "argument must be a memory or percent value"
        PERCENT "percentage argument must be less or equal to 100"
        SAVE "Invalid save parameters"
        SAVE_AND_NOSAVE "shutdown options SAVE and NOSAVE can't be used simultaneously"
        KEYSPACE_EVENTS "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
        BUFFER_WORDS "Wrong number of arguments in buffer limit configuration."
        BUFFER_CLASS "Invalid client class specified in buffer limit configuration."
        BUFFER_LIMIT "Error in hard, soft or soft_seconds setting in buffer limit configuration."
        PERCENTILE "Invalid latency-tracking-info-percentiles parameters"
        PERCENTILE_RANGE "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
        HOSTNAME "Hostnames may only contain alphanumeric characters, hyphens or dots"
        HOSTNAME_LENGTH "Hostnames must be less than 256 characters"
        PROCESS_TITLE "template format is invalid or contains unknown variables"
        WRONG_NUMBER "wrong number of arguments"
        SCORE_ADJUSTMENT "Invalid oom-score-adj-values, elements must be between -2000 and 2000."
        NO_DEFRAGMENTATION "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the one shipped by default with the Redis source distribution"
        NO_TLS "Unable to update TLS configuration. Check server logs."
        NO_AOF "Unable to turn on AOF. Check server logs."
        NO_PORT "Unable to listen on this port. Check server logs."
        RULE_SYNTAX "Syntax error"
        UNKNOWN_COMMAND "Unknown command or category name in ACL"
        FIRST_OF_SUBCOMMAND "Allowing first-arg of a subcommand is not supported"
        AFTER_ALL_KEYS "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
        AFTER_ALL_CHANNELS "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
        NO_SUCH_PASSWORD "The password you are trying to remove from the user does not exist"
        BAD_HASH "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
        NO_COMMAND "no permission to execute the command or subcommand"
        NO_KEY "no permission to touch the specified keys"
        NO_CHANNEL "no permission to access one of the channels used as arguments"
    }

    /// A word that is none of these.
    pub fn one_of(words: &[&str]) -> String {
        format!("argument(s) must be one of the following: {}", words.join(", "))
    }

    /// A number out of its range.
    pub fn between(low: i128, high: i128) -> String {
        format!("argument must be between {low} and {high} inclusive")
    }
}

/// What a client has sent, at the end of an error: line ends behind it go.
fn last_word(word: &[u8]) -> &[u8] {
    let text = c_string(word);
    let ends = text.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    &text[..text.len() - ends]
}
