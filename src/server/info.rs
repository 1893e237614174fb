//! Writes what INFO prints: every section of Redis 7.0.15 with its fields in their order.
//!
//! Fields about what this engine has not (files, replicas, threads, modules) are there with the values of a server
//! that does not use them.

use super::pubsub::Kind;
use super::{REDIS_VERSION, Server};
use crate::keyspace::Database;
use crate::number::{fixed, parse_float};
use std::fmt::Write;

/// A section: its name, and whether a plain INFO prints it.
struct Section {
    name: &'static str,
    default: bool,
    write: fn(&mut Server, &mut String) -> std::fmt::Result,
}

const fn section(
    name: &'static str,
    default: bool,
    write: fn(&mut Server, &mut String) -> std::fmt::Result,
) -> Section {
    Section { name, default, write }
}

const SECTIONS: &[Section] = &[
    section("Server", true, server),
    section("Clients", true, clients),
    section("Memory", true, memory),
    section("Persistence", true, persistence),
    section("Stats", true, stats),
    section("Replication", true, replication),
    section("CPU", true, cpu),
    section("Modules", true, |_, _| Ok(())),
    section("Commandstats", false, commandstats),
    section("Errorstats", true, errorstats),
    section("Latencystats", false, latencystats),
    section("Cluster", true, cluster),
    section("Keyspace", true, keyspace),
];

impl Server {
    /// The text of INFO for these sections; none means the default ones.
    pub fn info(&mut self, wanted: &[Vec<u8>]) -> Vec<u8> {
        let wants =
            |name: &str| wanted.iter().any(|word| word.eq_ignore_ascii_case(name.as_bytes()));
        let all = wants("all") || wants("everything");
        let default = wants("default") || wanted.is_empty();
        let mut text = String::new();
        for section in SECTIONS {
            if all || (default && section.default) || wants(section.name) {
                if !text.is_empty() {
                    text.push_str("\r\n");
                }
                let start = text.len();
                let written = writeln!(text, "# {}", section.name)
                    .and_then(|()| (section.write)(self, &mut text));
                debug_assert!(written.is_ok(), "writing to a string cannot fail");
                let lines = text.split_off(start);
                text.push_str(&lines.replace('\n', "\r\n"));
            }
        }
        text.into_bytes()
    }
}

fn server(server: &mut Server, out: &mut String) -> std::fmt::Result {
    let uptime = server.now().saturating_sub(server.started) / 1_000_000;
    let hz = server.config.integer("hz");
    write!(
        out,
        "redis_version:{REDIS_VERSION}\n\
         redis_git_sha1:00000000\n\
         redis_git_dirty:0\n\
         redis_build_id:0\n\
         redis_mode:standalone\n\
         os:{} {}\n\
         arch_bits:{}\n\
         monotonic_clock:given by the caller\n\
         multiplexing_api:none\n\
         atomicvar_api:none\n\
         gcc_version:0.0.0\n\
         process_id:0\n\
         process_supervised:no\n\
         run_id:{}\n\
         tcp_port:{}\n\
         server_time_usec:{}\n\
         uptime_in_seconds:{uptime}\n\
         uptime_in_days:{}\n\
         hz:{hz}\n\
         configured_hz:{hz}\n\
         lru_clock:{}\n\
         executable:\n\
         config_file:\n\
         io_threads_active:0\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
        usize::BITS,
        server.run_id,
        server.config.integer("port"),
        server.now(),
        uptime / 86400,
        (server.now() / 1_000_000) & 0x00ff_ffff,
    )
}

fn clients(server: &mut Server, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "connected_clients:{}\n\
         cluster_connections:0\n\
         maxclients:{}\n\
         client_recent_max_input_buffer:0\n\
         client_recent_max_output_buffer:0\n\
         blocked_clients:{}\n\
         tracking_clients:0\n\
         clients_in_timeout_table:{}\n",
        server.clients().len(),
        server.config.active.maxclients,
        server.blocked_clients(),
        server.clients_with_timeout(),
    )
}

fn memory(server: &mut Server, out: &mut String) -> std::fmt::Result {
    let used = server.used_memory();
    let peak = server.peak_memory();
    let startup = server.base_memory() as u64;
    let dataset = used.saturating_sub(startup);
    let maxmemory = server.config.active.maxmemory;
    let percent = |part: u64, whole: u64| fixed(part as f64 * 100.0 / whole.max(1) as f64, 2);
    let policy = String::from_utf8_lossy(server.config.text("maxmemory-policy")).into_owned();
    let scripts = server.cached_scripts();
    let libraries = server.libraries();
    let (vm, overhead) = (libraries.memory(), libraries.overhead());
    let (eval, eval_overhead) = (server.scripts.memory(), server.script_overhead());
    let (library_count, functions) = (libraries.all().len(), libraries.functions());
    write!(
        out,
        "used_memory:{used}\n\
         used_memory_human:{}\n\
         used_memory_rss:{used}\n\
         used_memory_rss_human:{}\n\
         used_memory_peak:{peak}\n\
         used_memory_peak_human:{}\n\
         used_memory_peak_perc:{}%\n\
         used_memory_overhead:{startup}\n\
         used_memory_startup:{startup}\n\
         used_memory_dataset:{dataset}\n\
         used_memory_dataset_perc:{}%\n\
         allocator_allocated:{used}\n\
         allocator_active:{used}\n\
         allocator_resident:{used}\n\
         total_system_memory:0\n\
         total_system_memory_human:0B\n\
         used_memory_lua:{eval}\n\
         used_memory_vm_eval:{eval}\n\
         used_memory_lua_human:{}\n\
         used_memory_scripts_eval:{eval_overhead}\n\
         number_of_cached_scripts:{scripts}\n\
         number_of_functions:{functions}\n\
         number_of_libraries:{library_count}\n\
         used_memory_vm_functions:{vm}\n\
         used_memory_vm_total:{}\n\
         used_memory_vm_total_human:{}\n\
         used_memory_functions:{overhead}\n\
         used_memory_scripts:{}\n\
         used_memory_scripts_human:{}\n\
         maxmemory:{maxmemory}\n\
         maxmemory_human:{}\n\
         maxmemory_policy:{policy}\n\
         allocator_frag_ratio:1.00\n\
         allocator_frag_bytes:0\n\
         allocator_rss_ratio:1.00\n\
         allocator_rss_bytes:0\n\
         rss_overhead_ratio:1.00\n\
         rss_overhead_bytes:0\n\
         mem_fragmentation_ratio:1.00\n\
         mem_fragmentation_bytes:0\n\
         mem_not_counted_for_evict:0\n\
         mem_replication_backlog:0\n\
         mem_total_replication_buffers:0\n\
         mem_clients_slaves:0\n\
         mem_clients_normal:0\n\
         mem_cluster_links:0\n\
         mem_aof_buffer:0\n\
         mem_allocator:rust\n\
         active_defrag_running:0\n\
         lazyfree_pending_objects:0\n\
         lazyfreed_objects:0\n",
        human(used),
        human(used),
        human(peak),
        percent(used, peak),
        percent(dataset, used),
        human(eval as u64),
        eval + vm,
        human((eval + vm) as u64),
        overhead + eval_overhead,
        human((overhead + eval_overhead) as u64),
        human(maxmemory),
    )
}

/// A number of bytes with a unit and two decimals.
fn human(bytes: u64) -> String {
    let mut number = bytes as f64;
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    for unit in ["K", "M", "G", "T"] {
        number /= 1024.0;
        if number < 1024.0 {
            return fixed(number, 2) + unit;
        }
    }
    fixed(number / 1024.0, 2) + "P"
}

fn persistence(server: &mut Server, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "loading:0\n\
         async_loading:0\n\
         current_cow_peak:0\n\
         current_cow_size:0\n\
         current_cow_size_age:0\n\
         current_fork_perc:0.00\n\
         current_save_keys_processed:0\n\
         current_save_keys_total:0\n\
         rdb_changes_since_last_save:{}\n\
         rdb_bgsave_in_progress:0\n\
         rdb_last_save_time:{}\n\
         rdb_last_bgsave_status:ok\n\
         rdb_last_bgsave_time_sec:-1\n\
         rdb_current_bgsave_time_sec:-1\n\
         rdb_saves:0\n\
         rdb_last_cow_size:0\n\
         rdb_last_load_keys_expired:0\n\
         rdb_last_load_keys_loaded:0\n\
         aof_enabled:0\n\
         aof_rewrite_in_progress:0\n\
         aof_rewrite_scheduled:0\n\
         aof_last_rewrite_time_sec:-1\n\
         aof_current_rewrite_time_sec:-1\n\
         aof_last_bgrewrite_status:ok\n\
         aof_rewrites:0\n\
         aof_rewrites_consecutive_failures:0\n\
         aof_last_write_status:ok\n\
         aof_last_cow_size:0\n\
         module_fork_in_progress:0\n\
         module_fork_last_cow_size:0\n",
        server.changes.saturating_sub(server.saved_changes),
        server.started / 1_000_000,
    )
}

fn stats(server: &mut Server, out: &mut String) -> std::fmt::Result {
    let stats = &server.stats;
    write!(
        out,
        "total_connections_received:{}\n\
         total_commands_processed:{}\n\
         instantaneous_ops_per_sec:0\n\
         total_net_input_bytes:0\n\
         total_net_output_bytes:0\n\
         total_net_repl_input_bytes:0\n\
         total_net_repl_output_bytes:0\n\
         instantaneous_input_kbps:0.00\n\
         instantaneous_output_kbps:0.00\n\
         instantaneous_input_repl_kbps:0.00\n\
         instantaneous_output_repl_kbps:0.00\n\
         rejected_connections:{}\n\
         sync_full:0\n\
         sync_partial_ok:0\n\
         sync_partial_err:0\n\
         expired_keys:{}\n\
         expired_stale_perc:0.00\n\
         expired_time_cap_reached_count:0\n\
         expire_cycle_cpu_milliseconds:0\n\
         evicted_keys:{}\n\
         evicted_clients:0\n\
         total_eviction_exceeded_time:0\n\
         current_eviction_exceeded_time:0\n\
         keyspace_hits:{}\n\
         keyspace_misses:{}\n\
         pubsub_channels:{}\n\
         pubsub_patterns:{}\n\
         pubsubshard_channels:{}\n\
         latest_fork_usec:0\n\
         total_forks:0\n\
         migrate_cached_sockets:0\n\
         slave_expires_tracked_keys:0\n\
         active_defrag_hits:0\n\
         active_defrag_misses:0\n\
         active_defrag_key_hits:0\n\
         active_defrag_key_misses:0\n\
         total_active_defrag_time:0\n\
         current_active_defrag_time:0\n\
         tracking_total_keys:0\n\
         tracking_total_items:0\n\
         tracking_total_prefixes:0\n\
         unexpected_error_replies:0\n\
         total_error_replies:{}\n\
         dump_payload_sanitizations:0\n\
         total_reads_processed:0\n\
         total_writes_processed:0\n\
         io_threaded_reads_processed:0\n\
         io_threaded_writes_processed:0\n\
         reply_buffer_shrinks:0\n\
         reply_buffer_expands:0\n",
        stats.connections,
        stats.commands,
        stats.rejected_connections,
        stats.expired_keys,
        stats.evicted_keys,
        stats.keyspace_hits,
        stats.keyspace_misses,
        server.channels.of(Kind::Channel).len(),
        server.channels.of(Kind::Pattern).len(),
        server.channels.of(Kind::Shard).len(),
        stats.error_replies,
    )
}

fn replication(server: &mut Server, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "role:master\n\
         connected_slaves:0\n\
         master_failover_state:no-failover\n\
         master_replid:{}\n\
         master_replid2:{}\n\
         master_repl_offset:0\n\
         second_repl_offset:-1\n\
         repl_backlog_active:0\n\
         repl_backlog_size:{}\n\
         repl_backlog_first_byte_offset:0\n\
         repl_backlog_histlen:0\n",
        server.replication_id,
        "0".repeat(40),
        server.config.integer("repl-backlog-size"),
    )
}

/// The engine cannot ask how long the processor worked; it knows how long its commands took.
fn cpu(server: &mut Server, out: &mut String) -> std::fmt::Result {
    let microseconds: u64 = server.stats.calls.values().map(|stats| stats.microseconds).sum();
    let seconds = fixed(microseconds as f64 / 1e6, 6);
    write!(
        out,
        "used_cpu_sys:0.000000\n\
         used_cpu_user:{seconds}\n\
         used_cpu_sys_children:0.000000\n\
         used_cpu_user_children:0.000000\n\
         used_cpu_sys_main_thread:0.000000\n\
         used_cpu_user_main_thread:{seconds}\n"
    )
}

fn commandstats(server: &mut Server, out: &mut String) -> std::fmt::Result {
    for (id, stats) in server.stats.calls.iter() {
        writeln!(
            out,
            "cmdstat_{}:calls={},usec={},usec_per_call={},rejected_calls={},failed_calls={}",
            id.full_name(),
            stats.calls,
            stats.microseconds,
            fixed(stats.microseconds as f64 / stats.calls.max(1) as f64, 2),
            stats.rejected,
            stats.failed,
        )?;
    }
    Ok(())
}

fn errorstats(server: &mut Server, out: &mut String) -> std::fmt::Result {
    for (code, count) in server.stats.errors.iter() {
        let code = String::from_utf8_lossy(code).replace([':', '#'], "_");
        writeln!(out, "errorstat_{code}:count={count}")?;
    }
    Ok(())
}

fn latencystats(server: &mut Server, out: &mut String) -> std::fmt::Result {
    if !server.config.active.latency_tracking {
        return Ok(());
    }
    let percentiles = server.config.text("latency-tracking-info-percentiles");
    let percentiles = String::from_utf8_lossy(percentiles).into_owned();
    for (id, stats) in server.stats.calls.iter().filter(|(_, stats)| !stats.latency.is_empty()) {
        write!(out, "latency_percentiles_usec_{}:", id.full_name())?;
        for (index, percent) in percentiles.split_ascii_whitespace().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let nanoseconds =
                stats.latency.percentile(parse_float(percent.as_bytes()).unwrap_or(0.0));
            write!(out, "{comma}p{percent}={}", fixed(nanoseconds as f64 / 1000.0, 3))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn cluster(_server: &mut Server, out: &mut String) -> std::fmt::Result {
    writeln!(out, "cluster_enabled:0")
}

fn keyspace(server: &mut Server, out: &mut String) -> std::fmt::Result {
    let now = server.now_millis();
    let used = |(_, database): &(usize, &Database)| !database.is_empty();
    for (index, database) in server.databases.iter().enumerate().filter(used) {
        let (keys, expires) = (database.len(), database.expiring());
        let left = database.entries().iter().filter_map(|(_, entry)| entry.deadline);
        let left: i128 = left.map(|deadline| i128::from(deadline.saturating_sub(now).max(0))).sum();
        let average = left / i128::from(expires.max(1) as u64);
        writeln!(out, "db{index}:keys={keys},expires={expires},avg_ttl={average}")?;
    }
    Ok(())
}
