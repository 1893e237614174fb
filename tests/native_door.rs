//! Compares evalsha-server with redis-server, byte for byte, over real sockets.

#![cfg(feature = "native-door")]

mod common;

use common::door::Door;
use common::real::RealServer;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Our server, on a free port.
fn open_door() -> Door {
    Door::open(env!("CARGO_BIN_EXE_evalsha-server"))
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
    stream
}

/// Everything that a server answers to these bytes before it, or the end of the input, ends the connection.
fn answer(port: u16, bytes: &[u8]) -> String {
    let mut stream = connect(port);
    // A server that hangs up in the middle is no failure: what it said before is what counts.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer.escape_ascii().to_string()
}

/// Requests, whole and broken.
const REQUESTS: &[&[u8]] = &[
    b"PING\r\n",
    b"PING\nPING\n",
    b"\r\n \r\n\n",
    b"ECHO \"a\\x41\\n\"\r\n",
    b"ECHO 'it\\'s'\r\n",
    b"PING \"unbalanced\r\n",
    b"PING 'a\r\n",
    b"PING \"a\"b\r\n",
    b"PING a\rb\r\n",
    b"PING\rxxx\r\n",
    b"PING \xff\r\n",
    b"\"\" \r\n",
    b"\t\x0b\x0c PING\r\n",
    b"PING\0\r\n",
    b"PI\0NG\r\n",
    b"nothing of the kind\r\n",
    b"-1\r\n",
    b"*0\r\n",
    b"*-1\r\n",
    b"*-2\r\n",
    b"*-0\r\n",
    b"*\r\n",
    b"*x\r\n",
    b"* 1\r\n",
    b"*1 \r\n",
    b"*+1\r\n",
    b"*01\r\n",
    b"*1048577\r\n",
    b"*2147483647\r\n",
    b"*2147483648\r\n",
    b"*99999999999999999999\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n:1\r\n",
    b"*1\r\n\r\n",
    b"*1\r\n\0\r\n",
    b"*1\r\n\xff\r\n",
    b"*1\r\r\n$4\r\nPING\r\n",
    b"*1\rx$4\r\nPING\r\n",
    b"*1\n$4\r\nPING\r\n",
    b"*1\r\n$4\rxPINGyy",
    b"*1\r\n$4\nPING\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$-0\r\n\r\n",
    b"*1\r\n$0\r\n\r\n",
    b"*1\r\n$04\r\nPING\r\n",
    b"*1\r\n$+4\r\nPING\r\n",
    b"*1\r\n$ 4\r\nPING\r\n",
    b"*1\r\n$536870912\r\n",
    b"*1\r\n$536870913\r\n",
    b"*3\r\n$4\r\nPING\r\n",
    b"*2\r\n$4\r\nECHO\r\n$-5\r\n",
    b"*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\0\xff\r\n",
    b"PING\r\n*1\r\n$4\r\nPING\r\nECHO hi\r\n\r\nPING\r\n",
    b"PING\r\nQUIT\r\nPING\r\n",
    b"QUIT now\r\n",
    b"PING\r\n*x\r\nPING\r\n",
    b"RESET\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST / HTTP/1.1\r\n\r\n",
    b"*1\r\n$5\r\nhOsT:\r\n",
    b"HELLO 4\r\nHELLO x\r\n",
    b"CLIENT REPLY OFF\r\nPING\r\n*x\r\n",
    b"EVAL \"return {1, ARGV[1]}\" 0 a\r\n",
    b"EVAL \"local n = 0 for i = 1, 2000000 do n = n + 1 end return n\" 0\r\n*x\r\n",
    b"EVAL \"return redis.call('ECHO', 'in') .. nothing\" 0\r\nPING\r\n",
    b"CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n",
    b"CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n",
    b"CLIENT REPLY SKIP\r\nnothing of the kind\r\nECHO a\r\nCLIENT REPLY ON\r\n",
    b"CLIENT REPLY OFF\r\nECHO a\r\nCLIENT REPLY ON\r\nECHO b\r\n",
    b"CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nECHO a\r\nECHO b\r\nCLIENT REPLY ON\r\nECHO c\r\n",
    b"CLIENT REPLY OFF\r\nSUBSCRIBE a\r\nUNSUBSCRIBE a\r\nCLIENT REPLY ON\r\n",
    b"CLIENT REPLY OFF\r\nMULTI\r\nECHO a\r\nEXEC\r\nCLIENT REPLY ON\r\nECHO b\r\n",
    b"CLIENT REPLY OFF\r\nEVAL \"return 1\" 0\r\nQUIT\r\nPING\r\n",
    b"CLIENT REPLY SKIP\r\nMULTI\r\nECHO a\r\nECHO b\r\nEXEC\r\n",
    b"CLIENT REPLY SKIP\r\nRESET\r\nECHO a\r\n",
    b"CLIENT REPLY OFF\r\nRESET\r\nECHO a\r\n",
    b"CLIENT REPLY SKIP\r\n\r\nECHO a\r\nECHO b\r\n",
    b"CLIENT REPLY SKIP\r\n*0\r\nECHO a\r\nECHO b\r\n",
    b"MULTI\r\n\r\n*-1\r\nPING\r\nEXEC\r\n",
    b"MULTI\r\nPOST x\r\n",
    b"CLIENT REPLY\r\nCLIENT REPLY no\r\n",
    b"HELLO 3\r\nSUBSCRIBE a\r\nPUBLISH a hi\r\nPING\r\nGET k\r\nUNSUBSCRIBE\r\n",
    b"HELLO 3\r\nPSUBSCRIBE a*\r\nMULTI\r\nPUBLISH ab hi\r\nPING\r\nEXEC\r\nPUBLISH ac last\r\n",
    b"SUBSCRIBE a\r\nGET k\r\nPING\r\nPING x\r\nRESET\r\nGET k\r\n",
    b"HELLO 3\r\nDEL h\r\nHSET h a 1\r\nHGETALL h\r\nSADD s a\r\nSMEMBERS s\r\nGET none\r\nHELLO 2\r\nHGETALL h\r\n",
    b"BLPOP nothing 0\r\nPING\r\n",
    b"PING\r\nBLPOP nothing 0.01\r\nPING\r\n",
    b"DEL l\r\nRPUSH l a b\r\nBLPOP l 0\r\nBLPOP l 0\r\nBLPOP l 0\r\nPING\r\n",
    b"MULTI\r\nPING\r\n*x\r\n",
    b"MULTI\r\nPING\r\n",
    b"MONITOR\r\n*-x\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$-1\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n+v\r\n",
    b"*2\r\n$4\r\nECHO\r\n$3\r\nabcdef\r\nPING\r\n",
    b"*2\r\n*1\r\n$4\r\nPING\r\n",
    b"$4\r\nPING\r\n",
    b"+PING\r\n",
    b":1\r\n",
    b"*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n",
    b"*1\r\n$4\r\nPING\r\n\r\n\r\n*0\r\n*1\r\n$4\r\nPING\r\n",
    b"*2\r\n$6\r\nCLIENT\r\n$99999999999999999999\r\n",
    b"*2\r\n$6\r\nCLIENT\r\n$4 \r\n",
    b"ECHO \"\\xzz\\x4\"\r\nECHO \"\\\r\n",
    b"ECHO 'a' 'b\r\nPING\r\n",
];

#[test]
fn answers_each_request_as_redis_does() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    for request in REQUESTS {
        // What follows shows whether the connection is still good, and that nothing was lost.
        for after in ["", "PING\r\n", "\r\nECHO after\r\n"] {
            let request = [request, after.as_bytes()].concat();
            let shown = request.escape_ascii();
            assert_eq!(answer(door.port, &request), answer(real.port(), &request), "{shown}");
        }
    }
}

#[test]
fn refuses_endless_lines_as_redis_does() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    for start in ["", "*", "*1\r\n", "*1\r\n$", "ECHO "] {
        for length in [64 * 1024 - 10, 64 * 1024 + 1] {
            let request = [start.as_bytes(), &vec![b'7'; length]].concat();
            assert_eq!(
                answer(door.port, &request),
                answer(real.port(), &request),
                "{start:?} {length}"
            );
        }
    }
}

/// Pieces from which random requests are put together, seeded: equal runs send equal bytes.
#[test]
fn answers_random_bytes_as_redis_does() {
    const PIECES: &[&str] = &[
        "*1\r\n",
        "*2\r\n",
        "$4\r\n",
        "$1\r\n",
        "PING",
        "ECHO",
        "PING\r\n",
        "\r\n",
        "\n",
        "\r",
        " ",
        "\"",
        "'",
        "\\",
        "\\x4",
        "\0",
        "*",
        "$",
        "-1",
        "0",
        "x",
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n",
        "SET k v\r\n",
        "GET k\r\n",
    ];
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    for _ in 0..1500 {
        let pieces: Vec<&str> = (0..=random(9)).map(|_| PIECES[random(PIECES.len())]).collect();
        let request = pieces.concat();
        let shown = request.escape_debug();
        assert_eq!(
            answer(door.port, request.as_bytes()),
            answer(real.port(), request.as_bytes()),
            "{shown}"
        );
    }
}

#[test]
fn large_arguments_come_and_go_whole() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    let value = vec![b'v'; 10_000_000];
    let request = [
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000000\r\n",
        value.as_slice(),
        b"\r\nSTRLEN k\r\nGETRANGE k -3 -1\r\n",
    ]
    .concat();
    assert_eq!(answer(door.port, &request), answer(real.port(), &request));
}

/// `(a configuration, requests, what the answers are to)`: each on new servers.
#[test]
fn holds_to_the_limits_that_redis_holds_to() {
    let bulk = |command: &str, length: usize| {
        let words: Vec<&str> = command.split(' ').collect();
        let mut bytes = format!("*{}\r\n", words.len() + 1).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
        }
        bytes.extend_from_slice(format!("${length}\r\n").as_bytes());
        bytes.extend_from_slice(&vec![b'x'; length]);
        bytes.extend_from_slice(b"\r\n");
        bytes
    };
    const KB: usize = 1024;
    let with = |start: &str, middle: Vec<u8>, end: &str| {
        [start.as_bytes(), &middle, end.as_bytes()].concat()
    };
    let query = "client-query-buffer-limit 1mb";
    let output = "client-output-buffer-limit \"normal 1mb 0 0 pubsub 100kb 0 0\"";
    let cases = [
        (query, with("PING\r\n", bulk("STRLEN", 900 * KB), "ECHO after\r\n")),
        (query, bulk("ECHO", 1100 * KB)),
        ("proto-max-bulk-len 1mb", with("PING\r\n", bulk("ECHO", 1024 * KB), "PING\r\n")),
        ("proto-max-bulk-len 1mb", with("PING\r\n", bulk("ECHO", 1024 * KB + 1), "PING\r\n")),
        (output, with("", bulk("SET big", 900 * KB), "GET big\r\n")),
        (output, with("", bulk("SET big", 900 * KB), "MGET big big\r\nPING\r\n")),
        (output, b"EVAL \"return string.rep('x', 1100 * 1024)\" 0\r\nPING\r\n".to_vec()),
        (output, with("SUBSCRIBE c\r\n", Vec::new(), "PING\r\nSUBSCRIBE d\r\n")),
        (output, with("HELLO 3\r\nSUBSCRIBE c\r\n", bulk("PUBLISH c", 50 * KB), "PING\r\n")),
        (output, with("HELLO 3\r\nSUBSCRIBE c\r\n", bulk("PUBLISH c", 150 * KB), "PING\r\n")),
        ("maxclients 2", b"PING\r\n".to_vec()),
        ("requirepass secret", bulk("AUTH", 16 * KB + 1)),
        ("requirepass secret", b"*11\r\n$4\r\nPING\r\n".to_vec()),
        ("requirepass secret", b"GET k\r\nAUTH secret\r\nGET k\r\n".to_vec()),
    ];
    for (configuration, requests) in cases {
        let Some(real) = RealServer::start_on_tcp() else { return };
        let door = open_door();
        let session = |port: u16| {
            let set = answer(port, format!("CONFIG SET {configuration}\r\n").as_bytes());
            let _others = [connect(port), connect(port)].map(|mut other| {
                // It is let in, or told why not, before the next one comes.
                let _ = other.write_all(b"PING\r\n");
                let _ = other.read(&mut [0; 64]);
                other
            });
            set + &answer(port, &requests)
        };
        let (ours, theirs) = (session(door.port), session(real.port()));
        let shown = requests.get(..requests.len().min(100)).unwrap_or_default().escape_ascii();
        assert!(ours == theirs, "{configuration}: {shown}\n{}\n{}", cut(&ours), cut(&theirs));
    }
}

/// A long text, its middle left out.
fn cut(text: &str) -> String {
    match text.len() {
        300.. => format!("{}... {} ...{}", &text[..150], text.len(), &text[text.len() - 150..]),
        _ => text.to_owned(),
    }
}

/// A connection ends behind its last reply. Where CLIENT REPLY withholds that, it stays open, and nothing is heard any more.
#[test]
fn stays_open_without_a_last_reply_as_in_redis() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    for last in ["QUIT", "*x", "CLIENT KILL TYPE normal SKIPME no"] {
        for port in [door.port, real.port()] {
            let mut client = connect(port);
            let requests =
                format!("CLIENT REPLY OFF\r\n{last}\r\nCLIENT REPLY ON\r\nSET heard yes\r\n");
            client.write_all(requests.as_bytes()).expect("the server reads");
            client.set_read_timeout(Some(Duration::from_millis(200))).expect("it is not zero");
            assert!(client.read(&mut [0]).is_err(), "{last} at {port} says something, or hangs up");
            client.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
            client.shutdown(Shutdown::Write).expect("it is open");
            assert_eq!(client.read(&mut [0]).expect("the server hangs up"), 0, "{last} at {port}");
            assert_eq!(answer(port, b"EXISTS heard\r\n"), ":0\\r\\n", "{last} at {port}");
        }
    }
}

/// `timeout` ends the connections of those who neither wait nor listen.
#[test]
fn sends_idle_clients_away_as_redis_does() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    let sessions: &[&[u8]] = &[
        b"",
        b"PING\r\n",
        b"*1\r\n$4\r\nPI",
        b"SUBSCRIBE c\r\n",
        b"BLPOP nothing 0\r\n",
        b"MULTI\r\n",
    ];
    let stays = |port: u16| {
        answer(port, b"CONFIG SET timeout 1\r\n");
        let begin = |bytes: &&[u8]| {
            let mut client = connect(port);
            client.write_all(bytes).expect("the server reads");
            client
        };
        let clients: Vec<TcpStream> = sessions.iter().map(begin).collect();
        std::thread::sleep(Duration::from_millis(3500));
        clients
            .into_iter()
            .map(|client| {
                client.set_nonblocking(true).expect("it is open");
                let mut client = client;
                let mut said = Vec::new();
                // An end is no error; that nothing is there yet is one.
                client.read_to_end(&mut said).is_err()
            })
            .collect::<Vec<bool>>()
    };
    std::thread::scope(|scope| {
        let ours = scope.spawn(|| stays(door.port));
        assert_eq!(stays(real.port()), [false, false, false, true, true, false]);
        assert_eq!(
            ours.join().expect("it has not failed"),
            [false, false, false, true, true, false]
        );
    });
}

/// Every client gets its own replies, all of them, in order.
#[test]
fn replies_of_many_clients_are_not_mixed() {
    const CLIENTS: usize = 200;
    const ROUNDS: usize = 50;
    let door = open_door();
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(door.port)).collect();
    for round in 0..ROUNDS {
        for (number, client) in clients.iter_mut().enumerate() {
            let text = format!(
                "SET k{number} {round}\r\nECHO {number}-{round}\r\nGET k{number}\r\nINCR all\r\n"
            );
            // Cut at another place for each.
            let (first, second) = text.split_at((number + round) % text.len());
            client.write_all(first.as_bytes()).expect("the server reads");
            client.write_all(second.as_bytes()).expect("the server reads");
        }
    }
    let mut counted = Vec::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        client.shutdown(Shutdown::Write).expect("it is open");
        let mut said = String::new();
        client.read_to_string(&mut said).expect("the server answers all and hangs up");
        let mut lines = said.lines();
        let mut next = || lines.next().unwrap_or("nothing more");
        for round in 0..ROUNDS {
            let (echo, round) = (format!("{number}-{round}"), round.to_string());
            let seen = [next(), next(), next(), next(), next()];
            let lengths = [format!("${}", echo.len()), format!("${}", round.len())];
            assert_eq!(seen, ["+OK", &lengths[0], &echo, &lengths[1], &round]);
            counted.push(next()[1..].parse::<usize>().expect("INCR answers a number"));
        }
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=CLIENTS * ROUNDS).collect::<Vec<_>>());
}

/// What a client does not read neither fills the memory nor is lost.
#[cfg(target_os = "linux")]
#[test]
fn replies_that_nobody_reads_do_not_fill_the_memory() {
    const TIMES: usize = 300;
    let door = open_door();
    let mut client = connect(door.port);
    let set = b"EVAL \"return redis.call('SET', 'big', string.rep('x', 1000000))\" 0\r\n";
    assert_eq!(answer(door.port, set), "+OK\\r\\n");
    client.write_all("GET big\r\n".repeat(TIMES).as_bytes()).expect("the server reads");
    client.shutdown(Shutdown::Write).expect("it is open");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(answer(door.port, b"PING\r\n"), "+PONG\\r\\n");
    let status = std::fs::read_to_string(format!("/proc/{}/status", door.process.id()));
    let status = status.expect("the server runs");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
    let kilobytes: usize = resident.trim().trim_end_matches(" kB").parse().expect("it is a number");
    assert!(kilobytes < 200_000, "{kilobytes} kB");
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).expect("the server writes");
    assert_eq!(replies.len(), TIMES * "$1000000\r\n\r\n".len() + TIMES * 1_000_000);
}

/// Nor does it fill with messages: `client-output-buffer-limit` ends the connection.
#[test]
fn a_subscriber_that_does_not_read_is_sent_away() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    for port in [door.port, real.port()] {
        let mut subscriber = connect(port);
        subscriber.write_all(b"SUBSCRIBE c\r\n").expect("the server reads");
        subscriber.read_exact(&mut [0; 20]).expect("the server answers");
        let publish = b"EVAL \"local m = string.rep('x', 1000000) local n = 0 for i = 1, 60 do \
            n = n + redis.call('PUBLISH', 'c', m) end return n\" 0\r\n";
        answer(port, publish);
        assert_eq!(answer(port, b"PUBLISH c x\r\n"), ":0\\r\\n");
    }
}

#[test]
fn redis_cli_sees_no_difference() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    let session = "SET greeting hello\nGET greeting\nHSET h a 1 b 2\nHGETALL h\nSELECT 3\nGET greeting\nSET\nnonsense x\n\
        SET n 41\nINCR n\nEXPIRE nothing 10\nTTL n\nTYPE h\nHGET greeting a\nCOMMAND COUNT x\nHSTRLEN h a\n";
    for protocol in ["-2", "-3"] {
        let run = |port: u16| -> Output {
            let mut client = Command::new("redis-cli")
                .args([protocol, "--no-raw", "-p", &port.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("redis-cli is installed");
            let mut input = client.stdin.take().expect("it is piped");
            input.write_all(session.as_bytes()).expect("redis-cli reads");
            drop(input);
            client.wait_with_output().expect("redis-cli ends")
        };
        let (ours, theirs) = (run(door.port), run(real.port()));
        assert_eq!(
            ours.stdout.escape_ascii().to_string(),
            theirs.stdout.escape_ascii().to_string(),
            "{protocol}"
        );
        assert_eq!(
            ours.stderr.escape_ascii().to_string(),
            theirs.stderr.escape_ascii().to_string(),
            "{protocol}"
        );
    }
}

/// A client that asks for much and reads nothing holds up nobody, and loses nothing.
#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let door = open_door();
    let mut greedy = connect(door.port);
    let word = "w".repeat(50_000);
    for _ in 0..200 {
        greedy.write_all(format!("ECHO {word}\r\n").as_bytes()).expect("the server reads");
    }
    assert_eq!(answer(door.port, b"PING\r\n"), "+PONG\\r\\n");
    greedy.shutdown(Shutdown::Write).expect("it is open");
    let mut replies = Vec::new();
    greedy.read_to_end(&mut replies).expect("the server writes");
    assert_eq!(replies.len(), 200 * format!("$50000\r\n{word}\r\n").len());
}

/// A script that never ends: others are told so after a while, may kill it, and then all is as before.
#[test]
fn a_runaway_script_holds_up_nobody() {
    let Some(real) = RealServer::start_on_tcp() else { return };
    let door = open_door();
    let session = |port: u16| {
        let mut runaway = connect(port);
        let short = b"CONFIG SET busy-reply-threshold 50\r\n";
        let mut said = answer(port, short);
        runaway
            .write_all(b"EVAL \"while true do end\" 0\r\nPING\r\n*x\r\n")
            .expect("the server reads");
        // Until the script runs and has run for that long, SCRIPT KILL finds none or waits; it never hangs for good.
        let killed = (0..1000)
            .map(|_| answer(port, b"PING\r\nSCRIPT KILL\r\n"))
            .find(|said| said.contains("+OK"));
        said += &killed.expect("the script can be killed");
        let mut rest = Vec::new();
        runaway.read_to_end(&mut rest).expect("the server answers and hangs up");
        said + &rest.escape_ascii().to_string()
    };
    assert_eq!(session(door.port), session(real.port()));
}

#[test]
fn stops_when_it_is_told_to() {
    for signal in ["INT", "TERM"] {
        let mut door = open_door();
        let mut client = connect(door.port);
        client.write_all(b"PING\r\n").expect("the server reads");
        client.read_exact(&mut [0; 7]).expect("the server has let it in");
        let killed =
            Command::new("kill").args(["-s", signal, &door.process.id().to_string()]).status();
        assert!(killed.expect("there is a kill").success());
        assert!(door.process.wait().expect("it ends").success(), "{signal}");
        assert_eq!(client.read(&mut [0]).expect("the connection ends"), 0, "{signal}");
    }
    let mut door = open_door();
    assert_eq!(answer(door.port, b"SHUTDOWN\r\nPING\r\n"), "");
    assert!(door.process.wait().expect("it ends").success(), "SHUTDOWN");
}

#[test]
fn says_what_is_wrong_with_its_options() {
    let check = |words: &[&str], code: i32, said: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_evalsha-server"))
            .args(words)
            .output()
            .expect("it was just built");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
        assert!(text.contains(said), "{words:?}: {text}");
    };
    check(&["--help"], 0, "--port N");
    check(&["--version"], 0, env!("CARGO_PKG_VERSION"));
    check(&["--port"], 2, "--port needs a number");
    check(&["--script-memory", "much"], 2, "'much' is no number of bytes");
    check(&["--port", "70000"], 2, "'70000' is not a port");
    check(&["--prot"], 2, "there is no option '--prot'");
    let door = open_door();
    check(&["--port", &door.port.to_string()], 1, "is in use");
}
