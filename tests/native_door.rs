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
