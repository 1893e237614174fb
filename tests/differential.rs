//! Sends random commands to our engine and to the real server, and wants equal replies.
//!
//! `DIFFERENTIAL_CASES=10000` runs longer, `DIFFERENTIAL_SEED=7` elsewhere. A difference is made as short as it will
//! go and printed as a transcript, ready to be saved.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::chance::{Argv, encode, line, one_in, pick, setting, words};
use common::effects::{Listeners, counts};
use common::engine::Engine;
use common::real::{Connection, RealServer};
use evalsha::cli::print::print;
use evalsha::command;
use evalsha::resp::{Reply, Resp};
use evalsha::server::random::Random;
use std::sync::OnceLock;
use std::time::Duration;

/// A command line with placeholders, each of which stands for some random arguments: see [`fill`].
type Template = &'static str;

const STRING: &[Template] = &[
    "SET $key $value",
    "SET $key $value",
    "SET $key $number",
    "SET $key $value $set",
    "SET $key $value $set",
    "GET $key",
    "GETSET $key $value",
    "GETDEL $key",
    "GETEX $key $getex",
    "SETNX $key $value",
    "SETEX $key $time $value",
    "PSETEX $key $time $value",
    "MSET $pairs",
    "MSETNX $pairs",
    "MGET $keys",
    "APPEND $key $value",
    "APPEND $key $digits",
    "STRLEN $key",
    "GETRANGE $key $index $index",
    "SUBSTR $key $index $index",
    "SETRANGE $key $offset $value",
    "INCR $key",
    "DECR $key",
    "INCRBY $key $number",
    "DECRBY $key $number",
    "INCRBYFLOAT $key $float",
    "INCRBYFLOAT $key $float",
    "LCS $key $key $lcs",
    "LCS $key $key",
    "HSET $key $field $value",
    "OBJECT ENCODING $key",
    "TTL $key",
    "TYPE $key",
];

const SCRIPTS: &[Template] = &["EVAL $script 2 $key $key"];

/// A library replaces the one before.
const FUNCTIONS: &[Template] =
    &["FUNCTION LOAD REPLACE $library", "FCALL f 2 $key $key", "FCALL_RO f 1 $key"];

const HASH: &[Template] = &[
    "HSET $key $fields",
    "HSET $key $fields",
    "HSET $key $field $value",
    "HMSET $key $fields",
    "HSETNX $key $field $value",
    "HGET $key $field",
    "HMGET $key $field $field $field",
    "HGETALL $key",
    "HKEYS $key",
    "HVALS $key",
    "HLEN $key",
    "HEXISTS $key $field",
    "HSTRLEN $key $field",
    "HDEL $key $field",
    "HDEL $key $field $field $field",
    "HINCRBY $key $field $number",
    "HINCRBYFLOAT $key $field $float",
    "HINCRBYFLOAT $key $field $float",
    "HRANDFIELD $key",
    "HRANDFIELD $key $count",
    "HRANDFIELD $key $count WITHVALUES",
    "HSCAN $key $cursor",
    "HSCAN $key 0 MATCH $pattern",
    "HSCAN $key 0 MATCH $pattern",
    "HSCAN $key 0 $scan",
    "SET $key $value",
    "GETDEL $key",
    "OBJECT ENCODING $key",
];

/// A random member that is taken away would make the two differ from then on: only all are.
const SET: &[Template] = &[
    "SADD $key $members",
    "SADD $key $members",
    "SADD $key $members",
    "SREM $key $members",
    "SREM $key $member",
    "SMOVE $key $key $member",
    "SCARD $key",
    "SMEMBERS $key",
    "SISMEMBER $key $member",
    "SMISMEMBER $key $members",
    "SPOP $key 0",
    "SPOP $key 100",
    "SRANDMEMBER $key",
    "SRANDMEMBER $key $count",
    "SINTER $keys",
    "SUNION $keys",
    "SDIFF $keys",
    "SINTERSTORE $key $keys",
    "SUNIONSTORE $key $keys",
    "SDIFFSTORE $key $keys",
    "SINTERCARD 1 $key",
    "SINTERCARD 2 $key $key",
    "SINTERCARD 2 $key $key LIMIT $number",
    "SINTERCARD $number $keys",
    "SSCAN $key $cursor",
    "SSCAN $key 0 MATCH $pattern",
    "SSCAN $key 0 $scan",
    "SET $key $value",
    "LPUSH $key $values",
    "DEL $key",
    "COPY $key $key REPLACE",
    "OBJECT ENCODING $key",
];

/// Numbers that are out of range stand in a transcript: the real server may remember one, and refuse the next list for it.
const SORT: &[Template] = &[
    "SADD $key $weight $weight $weight",
    "RPUSH $key $weight $weight $weight",
    "RPUSH $key $weight $weight",
    "SET $digit $weight",
    "SET $digit $weight",
    "HSET $digit $field $index",
    "SORT $key",
    "SORT $key DESC",
    "SORT $key ALPHA",
    "SORT $key ALPHA DESC LIMIT $index $index",
    "SORT $key LIMIT $index $index",
    "SORT $key BY * GET #",
    "SORT $key GET * GET # GET *->a",
    "SORT $key ALPHA GET *->$field",
    "SORT $key ALPHA STORE $key",
    "SORT $key BY none GET * STORE $key",
    "SORT_RO $key ALPHA LIMIT 0 $index",
    "DEL $key",
];

/// What is between two members has no meaning where their scores differ: [`LEX`] is for those.
const SORTED_SET: &[Template] = &[
    "ZADD $key $scores",
    "ZADD $key $scores",
    "ZADD $key $scores",
    "ZADD $key $scores",
    "ZADD $key $zadd $scores",
    "ZADD $key $zadd $scores",
    "ZADD $key $zadd $score $member",
    "ZINCRBY $key $score $member",
    "SADD $key $members",
    "ZCARD $key",
    "ZCOUNT $key $end_of_scores $end_of_scores",
    "ZSCORE $key $member",
    "ZMSCORE $key $members",
    "ZRANK $key $member",
    "ZREVRANK $key $member",
    "ZREM $key $members",
    "ZRANGE $key $index $index",
    "ZRANGE $key $index $index $zrange",
    "ZRANGE $key $end_of_scores $end_of_scores BYSCORE $zrange",
    "ZRANGE $key $end_of_scores $end_of_scores BYSCORE $zrange",
    "ZREVRANGE $key $index $index",
    "ZREVRANGE $key $index $index WITHSCORES",
    "ZRANGEBYSCORE $key $end_of_scores $end_of_scores $zrange",
    "ZREVRANGEBYSCORE $key $end_of_scores $end_of_scores $zrange",
    "ZRANGESTORE $key $key $index $index $zrange",
    "ZRANGESTORE $key $key $end_of_scores $end_of_scores BYSCORE $zrange",
    "ZREMRANGEBYRANK $key $index $index",
    "ZREMRANGEBYSCORE $key $end_of_scores $end_of_scores",
    "ZPOPMIN $key",
    "ZPOPMAX $key",
    "ZPOPMIN $key $count",
    "ZPOPMAX $key $count",
    "ZMPOP 1 $key MIN",
    "ZMPOP $count $keys MAX",
    "ZMPOP 2 $key $key MAX COUNT $count",
    "BZPOPMIN $key $key 0.001",
    "BZPOPMAX $key $key 0.001",
    "BZMPOP 0.001 2 $key $key MIN COUNT $count",
    "ZRANDMEMBER $key",
    "ZRANDMEMBER $key $count",
    "ZRANDMEMBER $key $count WITHSCORES",
    "ZSCAN $key $cursor",
    "ZSCAN $key 0 MATCH $pattern",
    "ZSCAN $key 0 $scan",
    "ZUNION 3 $key $key $key $weights",
    "ZINTER 3 $key $key $key $weights",
    "ZUNION 2 $key $key $weights WITHSCORES",
    "ZINTER 2 $key $key $weights WITHSCORES",
    "ZUNION $count $keys $weights",
    "ZDIFF 2 $key $key",
    "ZDIFF 2 $key $key WITHSCORES",
    "ZDIFF 3 $key $key $key WITHSCORES",
    "ZINTERCARD 2 $key $key",
    "ZINTERCARD 2 $key $key LIMIT $number",
    "ZUNIONSTORE $key 3 $key $key $key $weights",
    "ZUNIONSTORE $key 1 $key $weights",
    "ZINTERSTORE $key 3 $key $key $key $weights",
    "ZINTERSTORE $key 2 $key $key $weights",
    "ZDIFFSTORE $key 2 $key $key",
    "SET $key $value",
    "SORT $key ALPHA STORE $key",
    "SORT_RO $key ALPHA DESC",
    "COPY $key $key REPLACE",
    "RENAME $key $key",
    "DEL $key",
    "TYPE $key",
    "OBJECT ENCODING $key",
];

/// All scores are equal.
const LEX: &[Template] = &[
    "ZADD $key 0 $element 0 $element",
    "ZADD $key 0 $element 0 $element 0 $field",
    "ZADD $key 0 $field 0 $element",
    "ZADD $key CH 0 $value",
    "ZLEXCOUNT $key $bound $bound",
    "ZRANGE $key $bound $bound BYLEX",
    "ZRANGE $key $bound $bound BYLEX $zrange",
    "ZRANGE $key $bound $bound BYLEX REV $zrange",
    "ZRANGEBYLEX $key $bound $bound",
    "ZRANGEBYLEX $key $bound $bound LIMIT $index $index",
    "ZREVRANGEBYLEX $key $bound $bound",
    "ZREVRANGEBYLEX $key $bound $bound LIMIT $index $index",
    "ZRANGESTORE $key $key $bound $bound BYLEX $zrange",
    "ZREMRANGEBYLEX $key $bound $bound",
    "ZRANK $key $element",
    "SORT $key BY none",
    "SORT $key BY none DESC LIMIT $index $index",
    "DEL $key",
];

/// As [`LEX`], of listpacks with different scores.
const LEX_MIXED: &[Template] = &[
    "ZADD $key $scores",
    "ZADD $key $score $element $score $element $score $field",
    "ZLEXCOUNT $key $bound $bound",
    "ZRANGE $key $bound $bound BYLEX $zrange",
    "ZRANGE $key $bound $bound BYLEX $zrange",
    "ZRANGEBYLEX $key $bound $bound LIMIT $index $index",
    "ZREVRANGEBYLEX $key $bound $bound",
    "ZREVRANGEBYLEX $key $bound $bound LIMIT $index $index",
    "ZRANGESTORE $key $key $bound $bound BYLEX $zrange",
    "ZREMRANGEBYLEX $key $bound $bound",
];

const GEO: &[Template] = &[
    "GEOADD $key $places",
    "GEOADD $key $places",
    "GEOADD $key $places",
    "GEOADD $key $geoadd $places",
    "ZADD $key $score $member",
    "ZREM $key $member",
    "GEOPOS $key $members",
    "GEOHASH $key $members",
    "GEODIST $key $member $member",
    "GEODIST $key $member $member $unit",
    "GEORADIUS $key $place $distance $unit",
    "GEORADIUS $key $place $distance $unit $georadius",
    "GEORADIUS $key $place $distance $unit STOREDIST $key",
    "GEORADIUS_RO $key $place $distance $unit $georadius",
    "GEORADIUSBYMEMBER $key $member $distance $unit $georadius",
    "GEORADIUSBYMEMBER_RO $key $member $distance $unit",
    "GEOSEARCH $key FROMMEMBER $member BYRADIUS $distance $unit",
    "GEOSEARCH $key FROMLONLAT $place BYRADIUS $distance $unit $geosearch",
    "GEOSEARCH $key FROMLONLAT $place BYRADIUS $distance $unit",
    "GEOSEARCH $key FROMLONLAT $place BYRADIUS $distance $unit",
    "GEOSEARCH $key FROMLONLAT $place BYBOX $distance $distance $unit",
    "GEOSEARCH $key FROMLONLAT $place BYBOX $distance $distance $unit $geosearch",
    "GEOSEARCH $key BYRADIUS $distance $unit FROMMEMBER $member $geosearch",
    "GEOSEARCHSTORE $key $key FROMLONLAT $place BYBOX $distance $distance $unit $geosearch",
    "GEOSEARCHSTORE $key $key BYRADIUS $distance $unit FROMLONLAT $place STOREDIST",
    "SET $key $value",
    "DEL $key",
];

const BITMAP: &[Template] = &[
    "SETBIT $key $bit 1",
    "SETBIT $key $bit 0",
    "SETBIT $key $bit $digits",
    "GETBIT $key $bit",
    "BITCOUNT $key",
    "BITCOUNT $key $index $index",
    "BITCOUNT $key $bit $bit BIT",
    "BITCOUNT $key $index $index BYTE",
    "BITPOS $key 0",
    "BITPOS $key 1",
    "BITPOS $key 1 $index",
    "BITPOS $key 0 $index $index",
    "BITPOS $key 1 $index $index BYTE",
    "BITPOS $key 0 $bit $bit BIT",
    "BITPOS $key 1 $bit $bit BIT",
    "BITOP AND $key $keys",
    "BITOP OR $key $keys",
    "BITOP XOR $key $keys",
    "BITOP NOT $key $key",
    "BITFIELD $key GET $width $bit",
    "BITFIELD $key SET $width $bit $number",
    "BITFIELD $key SET $width $bit $number GET $width #1",
    "BITFIELD $key INCRBY $width $bit $number",
    "BITFIELD $key OVERFLOW SAT INCRBY $width $bit $number SET $width $bit $index",
    "BITFIELD $key OVERFLOW FAIL SET $width $bit $number INCRBY $width $bit $index",
    "BITFIELD_RO $key GET $width $bit GET $width $bit",
    "SET $key $value",
    "SETRANGE $key $offset $value",
    "APPEND $key $value",
    "LPUSH $key $values",
    "DEL $key",
    "OBJECT ENCODING $key",
];

/// Corrupt ones, too: what looks like a HyperLogLog, or was one until a byte of it was changed.
const HYPERLOGLOG: &[Template] = &[
    "PFADD $key $elements",
    "PFADD $key $elements",
    "PFADD $key $elements",
    "PFADD $key $elements",
    "PFADD $key",
    "PFCOUNT $key",
    "PFCOUNT $key",
    "PFCOUNT $keys",
    "PFCOUNT $key $key",
    "PFMERGE $key $keys",
    "PFMERGE $key $key",
    "PFMERGE $key",
    "PFDEBUG ENCODING $key",
    "PFDEBUG DECODE $key",
    "PFDEBUG GETREG $key",
    "PFDEBUG TODENSE $key",
    "PFDEBUG $value $key",
    "SET $key $hyperloglog",
    "SET $key $value",
    "SETRANGE $key $header $byte",
    "APPEND $key $run",
    "COPY $key $key",
    "DEL $key",
    "LPUSH $key $values",
    "CONFIG SET hll-sparse-max-bytes $most",
    "OBJECT ENCODING $key",
];

const KEYSPACE: &[Template] = &[
    "SET $key $value",
    "SET $key $value EX 1000",
    "SET $key $value EXAT 33177117420",
    "RPUSH $key $values",
    "SADD $key $members",
    "HSET $key $fields",
    "PFADD $key $members",
    "DEL $keys",
    "UNLINK $keys",
    "EXISTS $keys",
    "TOUCH $keys",
    "TYPE $key",
    "RENAME $key $key",
    "RENAMENX $key $key",
    "COPY $key $key",
    "COPY $key $key $copy",
    "MOVE $key $database",
    "EXPIRE $key $seconds",
    "EXPIRE $key $seconds $expire",
    "PEXPIRE $key $seconds000 $expire",
    "EXPIREAT $key $when $expire",
    "PEXPIREAT $key $when000 $expire",
    "PERSIST $key",
    "TTL $key",
    "PTTL $key",
    "EXPIRETIME $key",
    "PEXPIRETIME $key",
    "SCAN $cursor",
    "SCAN 0 $find",
    "SCAN 0 MATCH $pattern TYPE $type",
    "KEYS $pattern",
    "KEYS *",
    "RANDOMKEY",
    "DBSIZE",
    "SELECT $database",
    "SWAPDB $database $database",
    "FLUSHDB $flush",
    "FLUSHALL $flush",
    "OBJECT ENCODING $key",
    "OBJECT REFCOUNT $key",
    "OBJECT FREQ $key",
];

const LIST: &[Template] = &[
    "LPUSH $key $values",
    "RPUSH $key $values",
    "RPUSH $key $values",
    "LPUSHX $key $values",
    "RPUSHX $key $values",
    "LPOP $key",
    "RPOP $key",
    "LPOP $key $count",
    "RPOP $key $count",
    "LLEN $key",
    "LINDEX $key $index",
    "LSET $key $index $element",
    "LRANGE $key $index $index",
    "LTRIM $key $index $index",
    "LREM $key $index $element",
    "LINSERT $key BEFORE $element $element",
    "LINSERT $key AFTER $element $element",
    "LPOS $key $element",
    "LPOS $key $element $lpos",
    "SORT $key BY w* ALPHA LIMIT $index $index",
    "SET wa $element",
    "LMOVE $key $key $end $end",
    "RPOPLPUSH $key $key",
    "LMPOP 1 $key $end",
    "LMPOP $count $keys $end",
    "LMPOP 2 $key $key $end COUNT $count",
    "BLPOP $key $key 0.001",
    "BRPOP $key 0.001",
    "BLMOVE $key $key $end $end 0.001",
    "BRPOPLPUSH $key $key 0.001",
    "BLMPOP 0.001 1 $key $end COUNT $count",
    "SET $key $value",
    "COPY $key $key",
    "RENAME $key $key",
    "DEL $key",
];

/// With `stream-node-max-bytes` below 100 the real server sometimes dies. `$tick` grows from command to command: what is added mostly has a higher ID.
const STREAM: &[Template] = &[
    "XADD $key $tick-* $fields",
    "XADD $key $tick-* $field $value",
    "XADD $key $tick-* f $value",
    "XADD $key $tick-3 f $number g $value",
    "XADD $key $id $fields",
    "XADD $key $xadd $tick-* $fields",
    "XADD $key $xadd $tick $fields",
    "EVAL for\ti=1,9\tdo\tredis.call('XADD',KEYS[1],'$tick-*','f',i)end 1 $key",
    "EVAL for\ti=1,150\tdo\tredis.call('XADD',KEYS[1],'$tick-*','f',i*i*i*i-i%7)end 1 $key",
    "EVAL for\ti=1,30\tdo\tredis.call('XADD',KEYS[1],'$tick-*',ARGV[1],ARGV[2]..i)end 1 $key $field $value",
    "XDEL $key $id $id $id",
    "XDEL $key $id",
    "XTRIM $key $xtrim",
    "XTRIM $key MAXLEN $digits",
    "XTRIM $key MAXLEN ~ $digits",
    "XTRIM $key MINID ~ $id",
    "XTRIM $key MINID = $id",
    "XLEN $key",
    "XRANGE $key $interval $interval",
    "XRANGE $key - + COUNT $count",
    "XREVRANGE $key $interval $interval",
    "XREVRANGE $key $interval $interval COUNT $count",
    "XREAD STREAMS $key $id",
    "XREAD COUNT $count STREAMS $key $key $id $id",
    "XREAD COUNT $count BLOCK 1 STREAMS $key $id",
    "XREAD BLOCK 1 STREAMS $key $",
    "XSETID $key $id",
    "XSETID $key $tick-9",
    "XSETID $key $tick-9 ENTRIESADDED $number",
    "XSETID $key $tick-9 ENTRIESADDED $digits MAXDELETEDID $id",
    "XINFO STREAM $key",
    "XINFO STREAM $key FULL COUNT $count",
    "CONFIG SET stream-node-max-entries $digit",
    "CONFIG SET stream-node-max-bytes $bytes",
    "COPY $key $key REPLACE",
    "RENAME $key $key",
    "SET $key $value",
    "DEL $key",
    "OBJECT ENCODING $key",
];

const GROUP: &[Template] = &[
    "XADD $stream $tick-* $fields",
    "XADD $stream $tick-* f $value",
    "XADD $stream $xadd $tick-* f v",
    "EVAL for\ti=1,9\tdo\tredis.call('XADD',KEYS[1],'$tick-*','f',i)end 1 $stream",
    "XDEL $stream $id $id",
    "XTRIM $stream $xtrim",
    "XTRIM $stream MAXLEN $digits",
    "XSETID $stream $tick-9 ENTRIESADDED $digits MAXDELETEDID $id",
    "XGROUP CREATE $stream $group $id",
    "XGROUP CREATE $stream $group 0",
    "XGROUP CREATE $stream $group $ MKSTREAM",
    "XGROUP CREATE $stream $group $id MKSTREAM ENTRIESREAD $number",
    "XGROUP SETID $stream $group $id",
    "XGROUP SETID $stream $group $interval ENTRIESREAD $index",
    "XGROUP DESTROY $stream $group",
    "XGROUP CREATECONSUMER $stream $group $consumer",
    "XGROUP DELCONSUMER $stream $group $consumer",
    "XREADGROUP GROUP $group $consumer STREAMS $stream >",
    "XREADGROUP GROUP g $consumer COUNT $count STREAMS $stream >",
    "XREADGROUP GROUP g $consumer COUNT 2 STREAMS $stream >",
    "XREADGROUP GROUP g $consumer NOACK STREAMS $stream >",
    "XREADGROUP GROUP g $consumer COUNT $count STREAMS $stream $id",
    "XREADGROUP GROUP g $consumer STREAMS a b 0 >",
    "XREADGROUP GROUP $group $consumer BLOCK 1 STREAMS $stream >",
    "XACK $stream $group $id $id $id",
    "XACK $stream g $id",
    "XPENDING $stream $group",
    "XPENDING $stream $group $interval $interval $count",
    "XPENDING $stream g - + 10 $consumer",
    "XPENDING $stream g IDLE $idle - + $count $consumer",
    "XPENDING $stream g IDLE $idle $interval $interval 10",
    "XCLAIM $stream $group $consumer $idle $id $id $xclaim",
    "XCLAIM $stream g $consumer 0 $id $id $id $xclaim",
    "XCLAIM $stream g $consumer 0 $id $id IDLE 100000",
    "XCLAIM $stream g $consumer 0 $id $id FORCE",
    "XAUTOCLAIM $stream $group $consumer $idle $interval",
    "XAUTOCLAIM $stream g $consumer 0 0 COUNT $count",
    "XAUTOCLAIM $stream g $consumer 0 $interval COUNT 2 JUSTID",
    "XINFO GROUPS $stream",
    "XINFO GROUPS $stream",
    "XINFO CONSUMERS $stream $group",
    "XINFO STREAM $stream FULL",
    "XINFO STREAM $stream FULL COUNT $count",
    "COPY $stream $stream REPLACE",
    "SET b $value",
    "DEL $stream",
];

const TRANSACTION: &[Template] = &[
    "MULTI",
    "MULTI",
    "EXEC",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH $keys",
    "WATCH $key",
    "UNWATCH",
    "SET $key $number",
    "INCR $key",
    "GET $key",
    "DEL $key",
    "RPUSH $key $values",
    "LPOP $key",
    "HSET $key $field $value",
    "HGET $key $field",
    "BLPOP $key $key 0.001",
    "BLMOVE $key $key $end $end 0.001",
    "BRPOPLPUSH $key $key 0.001",
    "BLMPOP 0.001 2 $key $key $end COUNT $count",
    "EXPIRE $key 1000",
    "PERSIST $key",
    "RENAME $key $key",
    "MOVE $key 1",
    "SWAPDB 0 1",
    "FLUSHDB",
    "NOSUCH $key",
    "GET",
    "SELECT $database",
    "EVAL return(redis.call('INCR',KEYS[1])) 1 $key",
    "EVAL return(redis.call('LPOP',KEYS[1])) 1 $key",
    "EVAL return(redis.call('EXISTS',KEYS[1])) 1 $key",
    "RESET",
];

/// What SLOWLOG has of a transaction's commands and of others.
const SLOWLOG: &[Template] = &[
    "EVAL $slowlog 0",
    "EVAL $slowlog 0",
    "SLOWLOG LEN",
    "SLOWLOG RESET",
    "SLOWLOG NOSUCH",
    "CONFIG SET slowlog-max-len $digits",
    "CONFIG SET slowlog-max-len 1000",
    "CONFIG SET slowlog-log-slower-than -1",
    "CONFIG SET slowlog-log-slower-than 0",
    "CONFIG SET slowlog-log-slower-than 0",
    "CONFIG SET masterauth x $key $value masterauth",
    "CONFIG SET masteruser \"\" timeout 0",
    "AUTH $value",
    "AUTH $key $value",
    "CLIENT SETNAME $element",
    "LATENCY RESET",
    "SADD $key $members $members $members $members $members $members $members $members $members",
    "MULTI",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH $key",
    "SET $key $number",
    "INCR $key",
    "RPUSH $key $values",
    "BLPOP $key $key 0.001",
    "NOSUCH $key",
    "EVAL return(redis.call('INCR',KEYS[1])) 1 $key",
    "EVAL return(redis.pcall('LPOP',KEYS[1])) 1 $key",
];

/// Keys that make way when there is no room at all.
const EVICTION: &[Template] = &[
    "CONFIG SET maxmemory 1",
    "CONFIG SET maxmemory 0",
    "CONFIG SET maxmemory 0",
    "CONFIG SET maxmemory 0 maxmemory-policy noeviction",
    "CONFIG SET maxmemory-policy $policy",
    "CONFIG SET maxmemory-policy $policy maxmemory 1",
    "CONFIG SET maxmemory-samples $count",
    "SET $key $value",
    "SET $key $value EX 1000",
    "RPUSH $key $values",
    "SADD $key $members",
    "HSET $key $fields",
    "EXPIRE $key 1000",
    "PERSIST $key",
    "GET $key",
    "EXISTS $keys",
    "DBSIZE",
    "SELECT $database",
    "SWAPDB 0 1",
    "MULTI",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH $key",
    "EVAL return(redis.call('SET',KEYS[1],1)) 1 $key",
    "EVAL return(redis.call('EXISTS',KEYS[1])) 1 $key",
    "EVAL return({redis.call('DEL',KEYS[1]),redis.call('SET',KEYS[1],1)}) 1 $key",
    "EVAL #!lua\n 1 $key",
    "EVAL_RO return(redis.call('GET',KEYS[1])) 1 $key",
    "EVAL $evicted 0",
];

/// What a single node answers to those who administer it.
const ADMIN: &[Template] = &[
    "SLOWLOG GET $number",
    "SLOWLOG $junk",
    "LATENCY LATEST",
    "LATENCY HISTORY $junk",
    "LATENCY RESET $junk",
    "LATENCY GRAPH $junk",
    "LATENCY DOCTOR",
    "LATENCY HISTOGRAM nosuch x",
    "LATENCY $junk",
    "MEMORY USAGE nosuch $samples",
    "MEMORY PURGE",
    "MEMORY DOCTOR",
    "MEMORY $junk",
    "MODULE LIST",
    "MODULE LOAD $junk",
    "MODULE LOADEX $junk $junk",
    "MODULE UNLOAD $junk",
    "MODULE $junk",
    "CLUSTER INFO",
    "CLUSTER KEYSLOT $key",
    "CLUSTER SETSLOT $number STABLE",
    "CLUSTER $junk",
    "READONLY",
    "READWRITE",
    "ASKING",
    "ROLE",
    "REPLICAOF NO ONE",
    "SLAVEOF no One",
    "REPLICAOF $key -1",
    "FAILOVER $failover",
    "REPLCONF $replconf",
    "REPLCONF $replconf",
    "MIGRATE % 1 $key $number $number $migrate",
    "MIGRATE % 1 nosuch 0 100 $migrate",
    "BGSAVE x y",
    "SAVE x y",
    "CLIENT NO-EVICT $switch",
    "CLIENT GETNAME",
    "CLIENT SETNAME $element",
    "CLIENT CACHING $switch",
    "CLIENT TRACKINGINFO",
    "CLIENT GETREDIR",
    "CLIENT TRACKING OFF $tracking",
    "CLIENT TRACKING x $tracking",
    "CLIENT TRACKING ON OPTIN OPTOUT OPTIN $tracking",
    "CLIENT KILL $kill $kill ID 9999",
    "CLIENT KILL nosuch",
    "CLIENT LIST ID 9999 $junk",
    "CLIENT LIST TYPE $class",
    "CLIENT UNBLOCK $number $junk",
    "CLIENT PAUSE $junk",
    "CLIENT UNPAUSE",
    "CLIENT REPLY $junk",
    "CLIENT $junk",
    "CONFIG REWRITE",
    "CONFIG RESETSTAT",
    "CONFIG GET $junk",
    "CONFIG $junk",
    "COMMAND LIST FILTERBY x $filter",
    "COMMAND LIST FILTERBY MODULE nosuch",
    "COMMAND LIST FILTERBY PATTERN get",
    "COMMAND GETKEYSANDFLAGS SET $key $value",
    "COMMAND GETKEYS $junk $key $value",
    "COMMAND INFO nosuch nosuch",
    "COMMAND DOCS nosuch nosuch",
    "COMMAND nosuch x",
    "OBJECT FREQ $key",
    "OBJECT REFCOUNT $key",
    "OBJECT $junk $key",
    "SWAPDB $database $database",
    "SELECT $database",
    "EXPIRETIME $key",
    "SHUTDOWN ABORT $junk",
    "INFO cluster $junk",
    "SET $key $number",
    "RPUSH $key $values",
    "RESET",
    "MULTI",
    "EXEC",
    "EXEC",
    "SCRIPT $junk",
    "FUNCTION $junk",
    "PUBSUB $junk",
];

const CJSON: &[Template] = &["EVAL $cjson 0"];

/// What is the same in the log of both: the commands and the clients' names.
const SLOW_ENTRIES: &str =
    "local t={} for i,e in ipairs(redis.call('SLOWLOG','GET',-1)) do t[i]={e[4],e[6]} end return t";
/// How many keys have made way.
const EVICTED: &str = "return redis.call('INFO','stats'):match('evicted_keys:%d+')";
/// Nothing is taken from the default user, as whom each case begins.
const ACL: &[Template] = &[
    "ACL SETUSER $name $rules",
    "ACL SETUSER $name $rules",
    "ACL SETUSER $name on nopass $rules",
    "ACL SETUSER $name on nopass $rules",
    "ACL SETUSER $name on nopass +@all $rules",
    "ACL SETUSER $name on nopass allkeys $rules",
    "ACL SETUSER $name on nopass +get +set %R~a %W~b $rules",
    "ACL SETUSER $name on nopass +@all -@dangerous ~b &x $rules",
    "ACL SETUSER $name ($rules) ($rules) $rules",
    "ACL SETUSER $name -@all +@read +@string -@fast $rules",
    "ACL DRYRUN $name $line",
    "ACL DRYRUN $name $line",
    "ACL DRYRUN $user $line",
    "ACL GETUSER $name",
    "ACL LIST",
    "ACL WHOAMI",
    "ACL LOG",
    "ACL LOG 3",
    "ACL USERS",
    "ACL DELUSER $user",
    "AUTH $name $password",
    "AUTH $name $password",
    "AUTH $name $password",
    "AUTH $user $password",
    "AUTH default x",
    "AUTH default x",
    "RESET",
    "CONFIG SET acl-pubsub-default allchannels acllog-max-len $digit",
    "SET $key $value",
    "SET $key $value GET",
    "GET $key",
    "GET $key",
    "MGET $keys",
    "COPY $key $key",
    "EXISTS $keys",
    "RPUSH $key $weight",
    "SORT $key BY $pattern GET $pattern",
    "SORT $key BY nosort STORE $key",
    "BITFIELD $key GET u4 0",
    "PUBLISH $key x",
    "SELECT $database",
    "CONFIG GET maxmemory",
    "EVAL return(redis.call(unpack(ARGV))) 0 GET $key",
    "EVAL return(redis.pcall(unpack(ARGV))) 1 $key SET $key x",
    "EVAL return(redis.acl_check_cmd(unpack(ARGV))) 0 $line",
    "MULTI",
    "EXEC",
    "EXEC",
];

/// Asked of each key when a case ends.
const STATE: &[&str] =
    &["TYPE", "OBJECT ENCODING", "TTL", "STRLEN", "GET", "HGETALL", "LLEN", "SMEMBERS"];

const KEYS: &[&str] = &["a", "b", "c", ""];

/// Commands whose reply has no order where the hash or the set is a table.
const UNORDERED: &[&str] = &[
    "HGETALL",
    "HKEYS",
    "HVALS",
    "HSCAN",
    "HRANDFIELD",
    "SMEMBERS",
    "SSCAN",
    "SRANDMEMBER",
    "ZSCAN",
    "ZRANDMEMBER",
    "SCAN",
];
/// Commands whose reply never has one: it may come of several sets, or of one that is gone.
const SETS: &[&str] = &["SINTER", "SUNION", "SDIFF", "SPOP", "KEYS"];

#[test]
fn strings() {
    compare("strings", STRING);
}

#[test]
fn hashes() {
    compare("hashes", HASH);
}

#[test]
fn sets() {
    compare("sets", SET);
}

#[test]
fn sorting() {
    compare("sorting", SORT);
}

#[test]
fn sorted_sets() {
    compare("sorted sets", SORTED_SET);
}

#[test]
fn sorted_sets_lex() {
    compare("sorted sets by members", LEX);
}

#[test]
fn sorted_sets_lex_mixed() {
    compare("sorted sets of different scores by members", LEX_MIXED);
}

#[test]
fn places() {
    compare("places", GEO);
}

#[test]
fn bitmaps() {
    compare("bitmaps", BITMAP);
}

#[test]
fn keyspace() {
    compare("keyspace", KEYSPACE);
}

#[test]
fn hyperloglogs() {
    compare("hyperloglogs", HYPERLOGLOG);
}

#[test]
fn lists() {
    compare("lists", LIST);
}

#[test]
fn streams() {
    compare_long("streams", STREAM, 60);
}

#[test]
fn stream_groups() {
    compare_long("stream_groups", GROUP, 90);
}

#[test]
fn slow_commands() {
    compare("slow_commands", SLOWLOG);
}

#[test]
fn eviction() {
    compare("eviction", EVICTION);
}

#[test]
fn administration() {
    compare("administration", ADMIN);
}

#[test]
fn transactions() {
    compare("transactions", TRANSACTION);
}

#[test]
fn scripts() {
    compare("scripts", SCRIPTS);
}

#[test]
fn functions() {
    compare("functions", FUNCTIONS);
}

#[test]
fn acl() {
    compare("acl", ACL);
}

#[test]
fn cjson() {
    compare("cjson", CJSON);
}

/// Whether we have every command of the real server.
static IS_WHOLE: OnceLock<bool> = OnceLock::new();

fn compare(name: &str, templates: &[Template]) {
    compare_long(name, templates, 30);
}

/// With so many commands in each case.
fn compare_long(name: &str, templates: &[Template], length: u64) {
    let Some(real) = RealServer::start() else { return };
    let count = Reply::Integer(command::all().count() as i64);
    IS_WHOLE.get_or_init(|| real.connect().call(&words("COMMAND COUNT")) == count);
    let (cases, seed) = (setting("DIFFERENTIAL_CASES", 100), setting("DIFFERENTIAL_SEED", 1));
    for case in 0..cases {
        let mut random = Random::new(seed.wrapping_mul(1_000_003) + case);
        let commands = generate(&mut random, templates, length);
        let Some(first) = difference(&real, &commands) else { continue };
        let commands = shrink(&real, commands);
        let found = difference(&real, &commands)
            .unwrap_or_else(|| format!("(now the same; at first it was)\n{first}"));
        panic!("{name}, case {case} of seed {seed}: the last reply of ours is\n{found}\n{}", {
            transcript(&real, &commands)
        });
    }
}

/// Scripts that call what their arguments are.
const IN_SCRIPT: &str = "return redis.call(unpack(ARGV))";
const IN_SCRIPT_SAFELY: &str = "return redis.pcall(unpack(ARGV))";
const IN_SCRIPT_RESP3: &str = "redis.setresp(3) return redis.call(unpack(ARGV))";

/// The command that is called, by a script or by itself.
fn called(argv: &Argv) -> &[Vec<u8>] {
    match &argv[..] {
        [eval, script, _, called @ ..]
            if eval == b"EVAL" && script.ends_with(b"(unpack(ARGV))") =>
        {
            called
        }
        all => all,
    }
}

/// What happens to keys is told from then on.
const LISTEN: &str = "CONFIG SET notify-keyspace-events KEAmn";

/// The commands of one case.
fn generate(random: &mut Random, templates: &[Template], length: u64) -> Vec<Argv> {
    let mut commands = Vec::new();
    if one_in(random, 3) {
        commands.push(words("HELLO 3"));
    }
    if one_in(random, 2) {
        commands.push(words("CONFIG SET hash-max-listpack-entries 4 set-max-intset-entries 4"));
    }
    if std::ptr::eq(templates, LEX_MIXED) {
        commands.push(words("CONFIG SET zset-max-listpack-value 100"));
    } else if one_in(random, 2) {
        commands.push(words("CONFIG SET zset-max-listpack-entries 5 zset-max-listpack-value 20"));
    }
    let has_streams = templates.iter().any(|template| template.starts_with("XADD"));
    if has_streams && one_in(random, 2) {
        commands.push(words("CONFIG SET stream-node-max-entries 3"));
    }
    // Who listens is seen there, and what it takes.
    let shows_clients =
        [ADMIN, EVICTION, SLOWLOG].iter().any(|them| std::ptr::eq(*them, templates));
    if !shows_clients && one_in(random, 3) {
        commands.push(words(LISTEN));
    }
    for tick in 0..length {
        let template = *pick(random, templates);
        let mut argv = Vec::new();
        for word in template.split(' ') {
            fill(random, &word.replace("$tick", &tick.to_string()), &mut argv);
        }
        // What waits would wait for ever with another last argument, and without it what pops would pop by chance; where
        // members are chosen at random the real server would go on for years.
        let fixed = ["BL", "BR", "SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"];
        let waits = fixed.iter().any(|start| template.starts_with(start));
        if one_in(random, 60) && !waits && argv.len() > 1 {
            argv.pop();
        }
        if one_in(random, 60) && !waits {
            argv.push(value(random));
        }
        let runs_script =
            ["EVAL", "FCALL", "FUNCTION"].iter().any(|name| template.starts_with(name));
        if one_in(random, 10) && !runs_script {
            let calls = [IN_SCRIPT, IN_SCRIPT_SAFELY, IN_SCRIPT_RESP3];
            let mut script = words("EVAL script 0");
            script[1] = pick(random, &calls).as_bytes().to_vec();
            argv.splice(..0, script);
        }
        commands.push(argv);
    }
    for key in KEYS {
        for question in STATE {
            let mut argv = words(question);
            argv.push(key.as_bytes().to_vec());
            commands.push(argv);
        }
        let key = || vec![key.as_bytes().to_vec()];
        commands.push([words("LRANGE"), key(), words("0 -1")].concat());
        commands.push([words("ZRANGE"), key(), words("0 -1 WITHSCORES")].concat());
        commands.push([words("XINFO STREAM"), key(), words("FULL COUNT 0")].concat());
    }
    commands
}

/// A library with a random script for its function, or for its body.
fn library(random: &mut Random) -> String {
    let script = common::script::script(random);
    let flags = *pick(random, &["", "'no-writes'", "'allow-oom', 'no-cluster'", "'x'"]);
    let register = format!(
        "redis.register_function{{function_name = 'f', flags = {{{flags}}}, callback = function(KEYS, ARGV)"
    );
    if one_in(random, 10) {
        format!("#!lua name=lib\n{register} end}}\n{script}")
    } else {
        format!("#!lua name=lib\nlocal KEPT = {{}} {register}\n{script}\nend}}")
    }
}

/// Adds what a word of a template stands for.
fn fill(random: &mut Random, word: &str, argv: &mut Argv) {
    let choose = |random: &mut Random, choices: &[&str]| pick(random, choices).as_bytes().to_vec();
    let argument = match word {
        "$key" => choose(random, KEYS),
        "$value" => value(random),
        "$field" => field(random),
        "$element" => element(random),
        "$bytes" => choose(random, &["0", "300", "500", "1000", "4096"]),
        "$stream" => choose(random, &["a", "a", "a", "b"]),
        "$group" => choose(random, &["g", "g", "g", "g", "h", ""]),
        "$consumer" => choose(random, &["c", "c", "d", "e", "b"]),
        "$idle" => choose(random, &["0", "0", "0", "50000", "-1", "x"]),
        "$id" => id(random),
        "$interval" => bound(random),
        "$end" => choose(random, &["LEFT", "RIGHT", "left", "Right", "LEFT", "RIGHT", "x"]),
        // Two that are equal would be so for us, whose time stands still, and not for the real server.
        "$seconds" if one_in(random, 2) => choose(random, &["0", "-1", "x", "9223372036854775807"]),
        "$seconds" => (1000 + random.below(100_000)).to_string().into_bytes(),
        "$seconds000" => (1_000_000 + random.below(100_000_000)).to_string().into_bytes(),
        "$when" => choose(random, &["33177117420", "33177117421", "1", "0", "9223372036854775"]),
        "$when000" => choose(random, &["33177117420000", "33177117420001", "1", "-1", "x"]),
        "$type" => choose(random, &["string", "HASH", "list", "set", "zset", "x", ""]),
        "$database" => choose(random, &["0", "0", "1", "x"]),
        "$number" => number(random),
        "$weight" => choose(
            random,
            &[
                "0", "1", "2", "3", "4", "5", "-7", "1.5", "-0.25", "1e3", " 2", "0x1p3", "inf",
                "x", "",
            ],
        ),
        "$score" => score(random),
        "$end_of_scores" => {
            let mark = choose(random, &["", "", "", "("]);
            let end = choose(random, &["-inf", "+inf", "", " 1", " ", "1\0x", "1e999", "nan", "x"]);
            [mark, if one_in(random, 4) { end } else { score(random) }].concat()
        }
        "$bound" => match random.below(12) {
            0 | 1 => b"-".to_vec(),
            2 | 3 => b"+".to_vec(),
            4 => value(random),
            5 => choose(random, &["-\0x", "+\0x", "-x", "", "["]),
            at if at % 2 == 0 => [b"[".to_vec(), field(random)].concat(),
            _ => [b"(".to_vec(), element(random)].concat(),
        },
        "$unit" => choose(random, &["m", "km", "km", "KM", "ft", "mi", "x"]),
        "$distance" => match random.below(10) {
            0 => float(random),
            1 => choose(random, &["0", "1e9", "20000", "-1", "inf", "1e-3"]),
            _ => {
                let most = 10_u64.pow(random.below(8) as u32);
                format!("{}.{}", random.below(most), random.below(10)).into_bytes()
            }
        },
        "$digit" => random.below(8).to_string().into_bytes(),
        "$digits" => random.below(1000).to_string().into_bytes(),
        "$float" => float(random),
        "$index" if one_in(random, 10) => number(random),
        "$index" => (random.below(25) as i64 - 12).to_string().into_bytes(),
        // Between these a string would be too large for us, and slow for the real server.
        "$offset" if one_in(random, 10) => {
            choose(random, &["-1", "536870912", "9223372036854775807", "x"])
        }
        "$offset" => random.below(60).to_string().into_bytes(),
        "$bit" if one_in(random, 20) => number(random),
        "$bit" => (random.below(220) as i64 - 20).to_string().into_bytes(),
        "$width" => {
            let sign = choose(random, &["u", "i", "i"]);
            let bits = if one_in(random, 3) { random.below(66) } else { 1 + random.below(12) };
            [sign, bits.to_string().into_bytes()].concat()
        }
        "$time" => choose(
            random,
            &["100", "100000", "1000000", "0", "-1", "x", "9223372036854775807", "33177117420000"],
        ),
        "$count" => choose(
            random,
            &["0", "1", "2", "5", "100", "-1", "-4", "9223372036854775807", "-9223372036854775808"],
        ),
        "$cursor" => {
            choose(random, &["0", "0", "1", "-1", "", "x", "00", " 0", "99999999999999999999"])
        }
        "$cjson" => common::json::script(random),
        "$script" => common::script::script(random).into_bytes(),
        "$library" => library(random).into_bytes(),
        "$slowlog" => SLOW_ENTRIES.as_bytes().to_vec(),
        "$evicted" => EVICTED.as_bytes().to_vec(),
        "$policy" => choose(
            random,
            &[
                "allkeys-lru",
                "allkeys-lfu",
                "allkeys-random",
                "volatile-lru",
                "volatile-lfu",
                "volatile-random",
                "volatile-ttl",
                "noeviction",
            ],
        ),
        "$junk" => choose(
            random,
            &["nosuch", "HELP", "x", "", "0", "-1", "1.5", "get", "set", "command", "GETKEYS"],
        ),
        "$switch" => choose(random, &["ON", "off", "YES", "no", "x", ""]),
        "$class" => choose(random, &["replica", "SLAVE", "master", "pubsub", "x", ""]),
        "$name" => choose(random, &["alice", "bob"]),
        "$user" => choose(random, &["alice", "bob", "carol", "default"]),
        "$password" => choose(random, &["a", "b", ""]),
        "$rules" => {
            argv.extend((0..=random.below(4)).map(|_| rule(random)));
            return;
        }
        "($rules)" => {
            let rules: Vec<Vec<u8>> = (0..=random.below(3)).map(|_| rule(random)).collect();
            [b"(".as_slice(), &rules.join(&b' '), b")"].concat()
        }
        "$line" => {
            argv.extend(any_line(random));
            return;
        }
        "$pattern" => some_of(random, "aab*?[]^-\\", 8),
        "$set" | "$getex" | "$lcs" | "$scan" | "$lpos" | "$zadd" | "$geoadd" | "$georadius"
        | "$geosearch" | "$zrange" | "$weights" | "$xadd" | "$xtrim" | "$xclaim" | "$samples"
        | "$failover" | "$replconf" | "$migrate" | "$tracking" | "$kill" | "$filter"
        | "$expire" | "$copy" | "$flush" | "$find" => {
            return options(random, word, argv);
        }
        "$hyperloglog" => hyperloglog(random),
        "$header" => random.below(16).to_string().into_bytes(),
        "$byte" => vec![random.next() as u8],
        "$run" => vec![*pick(random, &[0, 63, 128, 131, 200, 255])],
        "$most" => choose(random, &["0", "25", "100", "600", "3000", "3000", "12000", "1gb"]),
        "$elements" => {
            let (more, of) = *pick(random, &[(5, 20), (5, 100_000), (100, 2000), (2000, 100_000)]);
            let more = random.below(more);
            argv.extend((0..=more).map(|_| random.below(of).to_string().into_bytes()));
            argv.push(value(random));
            return;
        }
        "$member" => member(random),
        "$members" => {
            let more = random.below(5);
            argv.extend((0..=more).map(|_| member(random)));
            return;
        }
        "$place" => return argv.extend(place(random)),
        "$places" => {
            for _ in 0..=random.below(6) {
                argv.extend(place(random));
                argv.push(member(random));
            }
            return;
        }
        "$scores" => {
            for _ in 0..=random.below(5) {
                argv.extend([score(random), member(random)]);
            }
            return;
        }
        "$values" => {
            let more = random.below(5);
            argv.extend((0..=more).map(|_| element(random)));
            return;
        }
        "$pairs" | "$fields" | "$keys" => {
            for _ in 0..=random.below(4) {
                match word {
                    "$fields" => argv.push(field(random)),
                    _ => argv.push(choose(random, KEYS)),
                }
                if word != "$keys" {
                    argv.push(value(random));
                }
            }
            return;
        }
        word => word.as_bytes().to_vec(),
    };
    argv.push(argument);
}

/// Up to three options with what belongs to them.
fn options(random: &mut Random, word: &str, argv: &mut Argv) {
    let choices: &[Template] = match word {
        "$set" => &[
            "NX",
            "xx",
            "GET",
            "KEEPTTL",
            "EX $time",
            "PX $time",
            "EXAT $time",
            "PXAT $time",
            "EXAT 1",
            "PERSIST",
            "EX",
        ],
        "$getex" => &[
            "PERSIST",
            "ex $time",
            "PX $time",
            "EXAT $time",
            "PXAT $time",
            "PXAT 1",
            "KEEPTTL",
            "EX",
        ],
        "$geoadd" => &["NX", "XX", "CH", "xx", "GT"],
        "$georadius" => &[
            "WITHDIST",
            "WITHHASH",
            "WITHCOORD",
            "ASC",
            "DESC",
            "COUNT $count",
            "COUNT 3 ANY",
            "COUNT 9",
            "ANY",
            "STORE $key",
            "STOREDIST $key",
        ],
        "$geosearch" => &[
            "WITHDIST",
            "WITHHASH",
            "WITHCOORD",
            "ASC",
            "DESC",
            "COUNT $count",
            "COUNT 3 ANY",
            "COUNT 9",
            "ANY",
            "STOREDIST",
            "FROMMEMBER $member",
            "BYRADIUS $distance $unit",
            "BYBOX $distance $distance $unit",
        ],
        "$zadd" => &["NX", "XX", "GT", "LT", "CH", "ch", "INCR"],
        "$zrange" => &[
            "REV",
            "LIMIT $index $index",
            "LIMIT 0 -1",
            "LIMIT $index $count",
            "WITHSCORES",
            "withscores",
            "BYSCORE",
            "BYLEX",
        ],
        "$weights" => &[
            "WEIGHTS $score",
            "WEIGHTS $score $score",
            "WEIGHTS $score $score $score",
            "AGGREGATE SUM",
            "AGGREGATE MIN",
            "aggregate max",
            "AGGREGATE x",
            "WITHSCORES",
        ],
        "$lcs" => &["LEN", "IDX", "idx", "WITHMATCHLEN", "MINMATCHLEN $count", "MINMATCHLEN"],
        "$xadd" | "$xtrim" => &[
            "NOMKSTREAM",
            "MAXLEN $digit",
            "MAXLEN = $digits",
            "maxlen ~ $digit",
            "MAXLEN ~ $digits",
            "MINID $id",
            "MINID ~ $id",
            "LIMIT $digits",
            "LIMIT $number",
            "MAXLEN ~ 0 LIMIT $digits",
            "MINID ~ 100 LIMIT $digit",
            "MAXLEN",
        ],
        "$xclaim" => &[
            "FORCE",
            "JUSTID",
            "justid",
            "IDLE 100000",
            "IDLE -5",
            "TIME 1000",
            "TIME 9000000000000000",
            "RETRYCOUNT $number",
            "RETRYCOUNT $digit",
            "LASTID $id",
            "IDLE",
        ],
        "$samples" => &["SAMPLES $number", "samples 0", "SAMPLES", "x"],
        "$failover" => {
            &["TO a $number", "ABORT", "abort", "FORCE", "TIMEOUT $number", "timeout 10", "TO", "x"]
        }
        "$replconf" => &[
            "listening-port $number",
            "CAPA $junk",
            "ip-address $junk",
            "rdb-only $database",
            "rdb-filter-only functions",
            "rdb-filter-only $junk",
            "nosuch $junk",
        ],
        "$migrate" => &["COPY", "replace", "AUTH x", "AUTH2 x y", "KEYS nosuch", "AUTH", "x"],
        "$tracking" => &[
            "OPTIN",
            "OPTOUT",
            "BCAST",
            "NOLOOP",
            "PREFIX $key",
            "REDIRECT x",
            "REDIRECT 9999",
            "PREFIX",
            "x",
        ],
        "$kill" => &[
            "TYPE $class",
            "USER default",
            "user nosuch",
            "ADDR 1.2.3.4:5",
            "LADDR 1.2.3.4:5",
            "SKIPME yes",
            "SKIPME x",
            "ID $number",
            "ID",
        ],
        "$filter" => &["FILTERBY", "MODULE nosuch", "PATTERN get", "ACLCAT nosuch", "x"],
        "$expire" => &["NX", "xx", "GT", "LT", "lt", "x"],
        "$find" => &[
            "COUNT 1000",
            "count 100",
            "MATCH $pattern",
            "match *",
            "TYPE $type",
            "type string",
            "COUNT 0",
            "COUNT",
        ],
        "$copy" => &["REPLACE", "DB 1", "DB $database", "replace", "DB"],
        "$flush" => &["ASYNC", "sync", "x"],
        "$lpos" => &["RANK $index", "COUNT $count", "MAXLEN $count", "rank $number", "COUNT"],
        _ => {
            &["COUNT 1000", "COUNT 1000", "MATCH $pattern", "match *", "COUNT $count", "TYPE hash"]
        }
    };
    for _ in 0..random.below(4) {
        let option = *pick(random, choices);
        for word in option.split(' ') {
            fill(random, word, argv);
        }
    }
}

/// A command or a subcommand.
fn any_command(random: &mut Random) -> command::Found {
    let all: Vec<command::Found> = command::every().collect();
    *pick(random, &all)
}

/// A rule of ACL SETUSER, a good one mostly.
fn rule(random: &mut Random) -> Vec<u8> {
    let command = any_command(random).full_name();
    fn one<'a>(random: &mut Random, words: &'a [&str]) -> &'a str {
        pick::<&str>(random, words)
    }
    let (words, behind): (&[&str], &str) = match random.below(16) {
        0..3 => (&["+", "+", "-"], &command),
        3..6 => (&["+@", "+@", "-@"], one(random, command::key_specs::CATEGORIES)),
        6 => {
            let argument = one(random, &["|a", "|B", "|1"]);
            return ["+", &command, argument].concat().into_bytes();
        }
        7..10 => (
            &["~", "~", "%R~", "%W~", "%RW~", "%"],
            one(random, &["a", "b", "?", "[ab]", "*", "[^c]*", ""]),
        ),
        10 => (&["&"], one(random, &["a", "b", "?", "*", ""])),
        11 => (&[">", "<"], one(random, &["a", "b", ""])),
        12 => (&["#", "!"], "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"),
        13 => (&["on", "off", "nopass", "resetpass", "reset", "clearselectors", "", "x"], ""),
        14 => (&["allkeys", "resetkeys", "allchannels", "resetchannels"], ""),
        _ => (&["allcommands", "nocommands", "sanitize-payload", "skip-sanitize-payload"], ""),
    };
    let word = one(random, words);
    [word, behind].concat().into_bytes()
}

/// A command line that mostly fits its command's arity; it is not run.
fn any_line(random: &mut Random) -> Argv {
    let words = [
        "a", "b", "c", "d", "1", "2", "0", "get", "STORE", "by", "limit", "streams", "keys", "set",
    ];
    let found = any_command(random);
    let name = found.full_name();
    let mut argv: Argv = name.split('|').map(|word| word.as_bytes().to_vec()).collect();
    let least = found.command.arity.unsigned_abs() as usize;
    let more = if found.command.arity < 0 { random.below(5) as usize } else { 0 };
    while argv.len() < least + more {
        argv.push(pick(random, &words).as_bytes().to_vec());
    }
    argv
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => number(random),
        1 => float(random),
        2 => Vec::new(),
        3 => (0..random.below(6)).map(|_| random.below(256) as u8).collect(),
        4 => vec![b'v'; 40 + random.below(30) as usize],
        _ => some_of(random, "abc", 12),
    }
}

fn element(random: &mut Random) -> Vec<u8> {
    if one_in(random, 4) { value(random) } else { some_of(random, "ab", 1) }
}

fn member(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => element(random),
        1 => number(random),
        _ => random.below(8).to_string().into_bytes(),
    }
}

fn score(random: &mut Random) -> Vec<u8> {
    let edges =
        ["inf", "-inf", "0", "-0", "1e17", "4611686018427387904", "9223372036854775807", "1e-310"];
    match random.below(12) {
        0 | 1 => pick(random, &edges).as_bytes().to_vec(),
        2 => float(random),
        3 | 4 => format!("{}.{}", random.below(4), random.below(10)).into_bytes(),
        _ => (random.below(8) as i64 - 2).to_string().into_bytes(),
    }
}

/// A longitude and a latitude: somewhere near one of a few places, or anywhere.
fn place(random: &mut Random) -> [Vec<u8>; 2] {
    let edges = ["180", "-180", "85.05112878", "-85.05112878", "85.06", "0", "x", "90", "10", "10"];
    let (longitude, latitude) =
        *pick(random, &[(10.0, 45.0), (-179.9, 70.0), (179.99, -80.0), (0.0, 0.0), (13.4, 38.1)]);
    let size = 10_f64.powf(random.below(6) as f64 - 3.5);
    let mut degrees = |near: f64, most: f64| {
        let part = random.below(1 << 30) as f64 / f64::from(1 << 30) * 2.0 - 1.0;
        match random.below(40) {
            0 => pick(random, &edges).as_bytes().to_vec(),
            1..8 => (part * most).to_string().into_bytes(),
            _ => (near + part * size).to_string().into_bytes(),
        }
    };
    [degrees(longitude, 180.0), degrees(latitude, 85.0)]
}

/// An entry's ID, or something that is none.
fn id(random: &mut Random) -> Vec<u8> {
    let edges = [
        "0",
        "0-0",
        "0-1",
        "-",
        "+",
        "$",
        ">",
        "x",
        "",
        "1-",
        "-1",
        "1-1-1",
        "1-*",
        "01-02",
        " 1",
        "1- -1",
        "18446744073709551615-18446744073709551615",
        "18446744073709551615",
        "18446744073709551616",
        "(1",
    ];
    match random.below(16) {
        0 => pick(random, &edges).as_bytes().to_vec(),
        1 => number(random),
        2..=4 => random.below(90).to_string().into_bytes(),
        5 => format!("{}-{}", random.below(90), random.below(150)).into_bytes(),
        _ => format!("{}-{}", random.below(90), random.below(10) / 3).into_bytes(),
    }
}

/// An end of an interval of them.
fn bound(random: &mut Random) -> Vec<u8> {
    match random.below(5) {
        0 => b"-".to_vec(),
        1 => b"+".to_vec(),
        2 => [b"(".to_vec(), id(random)].concat(),
        _ => id(random),
    }
}

/// A header, and runs that mostly have as many registers as they should. The last is never without its second byte:
/// what the real server takes for it is whatever it has there in its memory.
fn hyperloglog(random: &mut Random) -> Vec<u8> {
    const REGISTERS: u64 = 16384;
    let encoding = *pick(random, &[1, 1, 1, 1, 1, 1, 0, 2]);
    let estimate = *pick(random, &[0, 0, 0, 7]);
    let stale = *pick(random, &[0, 0x80, 0x80, 0x80]);
    let mut bytes = b"HYLL".to_vec();
    bytes.extend([encoding, 0, 0, 0, estimate, 0, 0, 0, 0, 0, 0, stale]);
    let mut left = REGISTERS;
    while left > 0 && !one_in(random, 200) {
        let most = *pick(random, &[4, 64, 3000, REGISTERS]);
        let length = if one_in(random, 10) { left } else { 1 + random.below(left.min(most)) };
        let value = if length > 4 { 0 } else { random.below(33) as u8 };
        left -= length;
        let low = (length - 1) as u8;
        match value {
            0 if length > 64 || one_in(random, 9) => {
                bytes.extend([0x40 | ((length - 1) >> 8) as u8, low]);
            }
            0 => bytes.push(low),
            _ => bytes.push(0x80 | (value - 1) << 2 | low),
        }
    }
    if one_in(random, 10) {
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] = random.next() as u8;
    }
    bytes.truncate(if one_in(random, 20) { random.below(40) as usize } else { bytes.len() });
    let mut at = 16;
    while at < bytes.len() {
        at += if bytes[at] >> 6 == 1 { 2 } else { 1 };
    }
    if at > bytes.len() && bytes.len() > 16 {
        bytes.push(0);
    }
    bytes
}

fn field(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => value(random),
        1 => some_of(random, "ab*[]^-\\", 4),
        _ => some_of(random, "ab", 3),
    }
}

fn number(random: &mut Random) -> Vec<u8> {
    let edges = [
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "9223372036854775806",
        "-0",
        "+1",
        "01",
        "1.0",
        " 1",
        "4611686018427387904",
    ];
    match random.below(4) {
        0 => pick(random, &edges).as_bytes().to_vec(),
        1 => (random.next() as i64).to_string().into_bytes(),
        _ => (random.below(200) as i64 - 100).to_string().into_bytes(),
    }
}

fn float(random: &mut Random) -> Vec<u8> {
    let edges = [
        "inf", "-inf", "nan", "1e400", "1e4900", "1e5000", "1e-4940", "1e-5000", "0x1p-3",
        "0xff.8", ".5", "5.", ".", "1e", "+1.5", "-0", "1_0", " 1",
    ];
    let text = match random.below(6) {
        0 => return number(random),
        1 => return pick(random, &edges).as_bytes().to_vec(),
        2 => format!("{}.{}", random.next() as i32, random.below(1_000_000_000)),
        3 => format!("{}.{:019}", random.below(100), random.next()),
        4 => format!("-{}e{}", random.below(1_000_000), random.below(60) as i64 - 30),
        _ => format!("{}.{}", random.below(100), random.below(100)),
    };
    text.into_bytes()
}

fn some_of(random: &mut Random, alphabet: &str, most: u64) -> Vec<u8> {
    let length = random.below(most + 1);
    (0..length).map(|_| *pick(random, alphabet.as_bytes())).collect()
}

/// Empties the real server and connects to it.
fn connect(real: &RealServer) -> Connection {
    let mut connection = real.connect();
    connection.call(&words("FLUSHALL"));
    connection.call(&words("SCRIPT FLUSH"));
    connection.call(&words("FUNCTION FLUSH"));
    connection.call(&words("CONFIG SET hash-max-listpack-entries 512 set-max-intset-entries 512"));
    connection.call(&words("CONFIG SET zset-max-listpack-entries 128 zset-max-listpack-value 64"));
    connection.call(&words("CONFIG SET stream-node-max-entries 100 stream-node-max-bytes 4096"));
    connection.call(&words("CONFIG SET hll-sparse-max-bytes 3000"));
    connection.call(&[&b"CONFIG"[..], b"SET", b"notify-keyspace-events", b""]);
    connection
        .call(&words("CONFIG SET maxmemory 0 maxmemory-policy noeviction maxmemory-samples 5"));
    connection.call(&words("CONFIG SET slowlog-log-slower-than 10000000 slowlog-max-len 128"));
    connection.call(&words("CONFIG SET masterauth \"\" masteruser \"\""));
    connection.call(&words("SLOWLOG RESET"));
    connection.call(&words("CONFIG RESETSTAT"));
    connection.call(&words("ACL DELUSER alice bob carol"));
    connection.call(&words("CONFIG SET acllog-max-len 128 acl-pubsub-default resetchannels"));
    connection.call(&words("ACL LOG RESET"));
    // It looks more often for those who have waited long enough.
    connection.call(&words("CONFIG SET hz 500"));
    connection
}

/// Longer than any command waits.
const A_WAIT: Duration = Duration::from_millis(5);
/// A script that has not ended after so many slices of so much fuel hangs.
const MAX_SLICES: usize = 10_000;
const SLICE: i64 = 10_000;
/// One that has needed more than these holds the real server for a minute, for instance by `table.insert(t, -2^31, x)`: the
/// real one is not asked.
const ASKED_SLICES: usize = 500;

/// Runs a case on both; our reply, printed, where it first differs from the real one.
fn difference(real: &RealServer, commands: &[Argv]) -> Option<String> {
    let mut connection = connect(real);
    let mut engine = Engine::new();
    let client = engine.server.connect("");
    let mut listeners =
        commands.contains(&words(LISTEN)).then(|| Listeners::open(&mut engine, real));
    let start = counts(&real.connect().call(&words("INFO")));
    let mut resp = Resp::V2;
    for argv in commands {
        resp = protocol(argv, resp);
        engine.server.send(client, argv);
        let slices = (0..MAX_SLICES).find(|_| !engine.server.run(SLICE));
        if slices.is_some_and(|slices| slices > ASKED_SLICES) {
            return None;
        }
        if engine.server.is_blocked(client) {
            engine.clock.advance(A_WAIT);
            engine.server.run(SLICE);
        }
        // It has deleted its own user in the middle of a transaction, and hears nothing any more.
        engine.server.client(client)?;
        let ours = engine.server.take_reply(client);
        let theirs = connection.call(argv);
        let mut encoding = || {
            let key = called(argv).get(1).cloned().unwrap_or_default();
            let question = [b"OBJECT".to_vec(), b"ENCODING".to_vec(), key];
            // Both are asked, as it counts as a look at the key.
            engine.server.send(client, &question);
            engine.server.take_reply(client);
            connection.call(&question)
        };
        match ours {
            None => return Some("(no reply)".to_owned()),
            Some(ours)
                if !same(called(argv), &ours, &theirs, &mut encoding)
                    || resp == Resp::V2 && null_arrays(&ours) != null_arrays(&theirs) =>
            {
                return Some(String::from_utf8_lossy(&print(ours)).into_owned());
            }
            Some(_) => {}
        }
        let messages = listeners.as_mut().and_then(|all| {
            let ordered = !called(argv)[0].to_ascii_uppercase().starts_with(b"SORT");
            all.difference(&mut engine, ordered)
        });
        if messages.is_some() {
            return messages;
        }
        // It has deleted its own user.
        if engine.server.client(client).is_some_and(|client| client.closing) {
            return None;
        }
    }
    let end = counts(&real.connect().call(&words("INFO")));
    let ours = counts(&Reply::Bulk(engine.server.info(&[])));
    for (((name, start), (_, end)), (_, ours)) in start.into_iter().zip(end).zip(ours) {
        if ours != end - start {
            return Some(format!("({name})\n{ours} and not {}", end - start));
        }
    }
    None
}

/// The protocol in which the reply to a command comes.
fn protocol(argv: &Argv, before: Resp) -> Resp {
    match argv.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] {
        [b"HELLO", ..] => Resp::V3,
        [b"RESET"] => Resp::V2,
        _ => before,
    }
}

/// Which nulls are arrays is seen in RESP2 only, and not in what is printed.
fn null_arrays(reply: &Reply) -> Vec<bool> {
    match reply {
        Reply::Null => vec![false],
        Reply::NullArray => vec![true],
        Reply::Array(items) => items.iter().flat_map(null_arrays).collect(),
        _ => Vec::new(),
    }
}

/// Whether two replies to a command are equal, as far as Redis promises.
fn same(
    argv: &[Vec<u8>],
    ours: &Reply,
    theirs: &Reply,
    encoding: &mut dyn FnMut() -> Reply,
) -> bool {
    if encode(ours) == encode(theirs) {
        return true;
    }
    let name = argv[0].to_ascii_uppercase();
    let is = |names: &[&str]| names.iter().any(|other| other.as_bytes() == name);
    if is(&["HELLO"]) {
        return true;
    }
    if is(&["ACL", "EXEC"]) {
        return encode(&comparable(ours)) == encode(&comparable(theirs));
    }
    if is(&["RANDOMKEY"]) {
        return *ours != Reply::Null && *theirs != Reply::Null;
    }
    let is_time = is(&["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]);
    if let (true, Reply::Integer(ours), Reply::Integer(theirs)) = (is_time, ours, theirs) {
        // The clocks differ, which shows in what is left until a certain day, and the real one goes on.
        let relative = *ours < 2_000_000;
        let most = if is(&["PTTL"]) { 2000 } else { 2 };
        return *ours > 0 && *theirs > 0 && (!relative || (ours - theirs).abs() <= most);
    }
    if is(&["XPENDING", "XINFO"]) {
        return encode(&timeless(ours)) == encode(&timeless(theirs));
    }
    if is(SETS) {
        return sorted(ours) == sorted(theirs);
    }
    if !is(UNORDERED) {
        return false;
    }
    let random = is(&["HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"])
        && items(ours).is_none_or(|items| !items.is_empty());
    let encoding = encoding();
    let table = encoding == Reply::bulk("hashtable") || encoding == Reply::bulk("skiplist");
    match (items(ours), items(theirs)) {
        (Some(ours), Some(theirs)) if random => ours.len() == theirs.len(),
        (None, None) if random => matches!((ours, theirs), (Reply::Bulk(_), Reply::Bulk(_))),
        // Where the scan stops in a table is nobody's promise.
        (Some(ours), Some(theirs)) if is(&["HSCAN", "SSCAN", "ZSCAN", "SCAN"]) => {
            let done = |items: &[Reply]| items.first() == Some(&Reply::bulk("0"));
            let found = |items: &[Reply]| items.get(1).map(sorted);
            let keys = is(&["SCAN"]);
            let has_options = argv.len() > if keys { 2 } else { 3 };
            let differ = done(ours) && done(theirs) && found(ours) != found(theirs);
            (keys || table) && !(has_options && differ)
        }
        _ => table && sorted(ours) == sorted(theirs),
    }
}

/// A reply of ACL without what no server promises: the order of rules about commands, times, and all that clients are
/// beside their commands and users. Which rules there are depends on all commands; as long as some are missing they are
/// left out, and only what they do is compared.
fn comparable(reply: &Reply) -> Reply {
    let is_whole = IS_WHOLE.get() == Some(&true);
    let each = |items: &[Reply]| -> Vec<Reply> {
        let mut label = Vec::new();
        let item = |item: &Reply| {
            let value = match (label.as_slice(), item) {
                (b"age-seconds", _) => Reply::Null,
                (b"client-info", Reply::Bulk(line)) => {
                    let fields = line.split(|byte| *byte == b' ');
                    Reply::bulks(
                        fields.filter(|it| it.starts_with(b"cmd") || it.starts_with(b"user")),
                    )
                }
                _ => comparable(item),
            };
            label = if let Reply::Bulk(text) = item { text.clone() } else { Vec::new() };
            value
        };
        items.iter().map(item).collect()
    };
    match reply {
        Reply::Array(items) => Reply::Array(each(items)),
        Reply::Map(pairs) => {
            let pair = |(key, value): &(Reply, Reply)| {
                (key.clone(), each(&[key.clone(), value.clone()]).pop().expect("two went in"))
            };
            Reply::Map(pairs.iter().map(pair).collect())
        }
        Reply::Bulk(text) if text.windows(4).any(|part| part == b"@all") => {
            let selectors = text.split(|byte| *byte == b'(').map(|selector| {
                let words = selector.split(|byte| matches!(byte, b' ' | b')'));
                let is_kept = |word: &&[u8]| {
                    is_whole
                        || !word.starts_with(b"+") && !word.starts_with(b"-")
                        || word.ends_with(b"@all")
                };
                let mut words: Vec<&[u8]> = words.filter(is_kept).collect();
                words.sort_unstable();
                Reply::bulks(words)
            });
            Reply::Array(selectors.collect())
        }
        other => other.clone(),
    }
}

fn items(reply: &Reply) -> Option<&[Reply]> {
    if let Reply::Array(items) | Reply::Set(items) = reply { Some(items) } else { None }
}

/// What XPENDING and XINFO tell, without the milliseconds that the two servers have not in common.
fn timeless(reply: &Reply) -> Reply {
    let rough = |number: i64| Reply::Integer(if number < 1 << 40 { number / 10_000 } else { 0 });
    match reply {
        Reply::Integer(number) if *number >= 1 << 40 => Reply::Integer(0),
        Reply::Map(pairs) => Reply::Map(
            pairs
                .iter()
                .map(|(name, value)| match value {
                    Reply::Integer(idle) if *name == Reply::bulk("idle") => {
                        (name.clone(), rough(*idle))
                    }
                    value => (name.clone(), timeless(value)),
                })
                .collect(),
        ),
        Reply::Array(items) => {
            let mut shown: Vec<Reply> = items.iter().map(timeless).collect();
            let name = items.iter().position(|item| *item == Reply::bulk("idle"));
            // An ID, a consumer, milliseconds, a number of deliveries.
            let place = match items[..] {
                [Reply::Bulk(_), Reply::Bulk(_), Reply::Integer(_), Reply::Integer(_)] => Some(2),
                _ => name.map(|at| at + 1),
            };
            if let Some(place) = place
                && let Some(Reply::Integer(time)) = items.get(place)
            {
                shown[place] = rough(*time);
            }
            Reply::Array(shown)
        }
        other => other.clone(),
    }
}

/// The elements in an order of their own; fields stay with their values in a map only.
fn sorted(reply: &Reply) -> Vec<Vec<u8>> {
    let mut elements: Vec<Vec<u8>> = match reply {
        Reply::Map(pairs) => {
            pairs.iter().map(|(key, value)| [encode(key), encode(value)].concat()).collect()
        }
        Reply::Array(items) | Reply::Set(items) => items.iter().map(encode).collect(),
        other => vec![encode(other)],
    };
    elements.sort();
    elements
}

/// Leaves out one command after the other, as long as there is still a difference.
fn shrink(real: &RealServer, mut commands: Vec<Argv>) -> Vec<Argv> {
    while commands.len() > 1 && difference(real, &commands[..commands.len() - 1]).is_some() {
        commands.pop();
    }
    for at in (0..commands.len()).rev() {
        let removed = commands.remove(at);
        if difference(real, &commands).is_none() {
            commands.insert(at, removed);
        }
    }
    commands
}

/// The case with the real server's replies.
fn transcript(real: &RealServer, commands: &[Argv]) -> String {
    let mut connection = connect(real);
    let mut text = Vec::new();
    for argv in commands {
        text.extend_from_slice(b"> ");
        text.extend_from_slice(&line(argv));
        text.push(b'\n');
        text.extend_from_slice(&print(connection.call(argv)));
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
