//! Starts the real Redis on a private socket, and talks to it.

use evalsha::resp::{Reply, format_double};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The version that every expectation was recorded from; another one prints other texts.
pub const VERSION: &str = "7.0.15";

/// Servers that were started, so that each has a folder of its own.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A private redis-server, new and empty, which ends with this value.
pub struct RealServer {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl RealServer {
    /// A server on a unix socket only. `None` if there is no redis-server here, which is said loudly; where
    /// `CI=true` that is a failure.
    pub fn start() -> Option<RealServer> {
        RealServer::start_with(0, &[])
    }

    /// A server that listens on a free TCP port of the loopback address too.
    pub fn start_on_tcp() -> Option<RealServer> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        RealServer::start_with(port, &[])
    }

    /// A server with further command line arguments.
    pub fn start_with(port: u16, arguments: &[&str]) -> Option<RealServer> {
        if !is_installed() {
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("evalsha-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let mut process = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--port"])
            .arg(port.to_string())
            .args(["--bind", "127.0.0.1", "--unixsocket", "redis.sock"])
            .args(arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        // Waiting for its own word, and not for a connection, leaves the client numbers as they are.
        let mut log = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        while !line.contains("eady to accept connections at") {
            line.clear();
            let length = log.read_line(&mut line).unwrap_or(0);
            assert!(length > 0, "redis-server ended before it was ready");
        }
        // Its log must go on flowing, or it would wait for a reader some day.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Some(RealServer { process, folder, port })
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its TCP port, 0 if it has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A new client.
    pub fn connect(&self) -> Connection {
        Connection::open(&self.socket())
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Whether redis-server and redis-cli of the right version can be started; says so once if they cannot.
pub fn is_installed() -> bool {
    static SAY: Once = Once::new();
    let version = |program| {
        let output = Command::new(program).arg("--version").output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let server = version("redis-server").unwrap_or_default();
    let client = version("redis-cli").unwrap_or_default();
    let right = server.contains(&format!("v={VERSION} ")) && client.contains(VERSION);
    if !right {
        SAY.call_once(|| {
            eprintln!(
                "\n*** NOT PROVED: redis-server and redis-cli {VERSION} are needed, found {server:?} and {client:?} ***\n"
            );
        });
        let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!in_ci, "CI must prove: redis-server and redis-cli {VERSION} are not installed");
    }
    right
}

/// A client of the real server, or of any server that speaks RESP.
pub struct Connection {
    stream: BufReader<Box<dyn ReadWrite>>,
}

/// A socket of any kind.
pub trait ReadWrite: Read + Write + Send {
    /// Whether reading gives up at once when nothing is there.
    fn set_nonblocking(&self, now: bool) -> std::io::Result<()>;

    /// Sends no more. What is still read must come soon.
    fn close_half(&self) -> std::io::Result<()>;
}

impl ReadWrite for UnixStream {
    fn set_nonblocking(&self, now: bool) -> std::io::Result<()> {
        UnixStream::set_nonblocking(self, now)
    }

    fn close_half(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)?;
        self.set_read_timeout(Some(HANGING_UP))
    }
}

impl ReadWrite for TcpStream {
    fn set_nonblocking(&self, now: bool) -> std::io::Result<()> {
        TcpStream::set_nonblocking(self, now)
    }

    fn close_half(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)?;
        self.set_read_timeout(Some(HANGING_UP))
    }
}

/// How long a server has to notice that a client hangs up. One whose client waits for a script may take as long as that.
const HANGING_UP: Duration = Duration::from_millis(200);

impl Connection {
    /// Hangs up, and waits until the server has noticed: it hangs up too.
    pub fn hang_up(mut self) {
        if self.stream.get_ref().close_half().is_ok() {
            let _ = self.stream.read_to_end(&mut Vec::new());
        }
    }

    /// Connects to a unix socket.
    pub fn open(socket: &Path) -> Connection {
        let stream = UnixStream::connect(socket).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
        Connection { stream: BufReader::new(Box::new(stream)) }
    }

    /// Connects to a TCP port of the loopback address.
    pub fn open_tcp(port: u16) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
        Connection { stream: BufReader::new(Box::new(stream)) }
    }

    /// Sends a command and waits for its reply.
    pub fn call<T: AsRef<[u8]>>(&mut self, argv: &[T]) -> Reply {
        self.send(argv);
        self.receive()
    }

    /// Sends a command.
    pub fn send<T: AsRef<[u8]>>(&mut self, argv: &[T]) {
        self.try_send(argv).expect("the server reads");
    }

    /// Sends a command; the error of a closed connection.
    pub fn try_send<T: AsRef<[u8]>>(&mut self, argv: &[T]) -> std::io::Result<()> {
        let mut bytes = format!("*{}\r\n", argv.len()).into_bytes();
        for argument in argv {
            bytes.extend_from_slice(format!("${}\r\n", argument.as_ref().len()).as_bytes());
            bytes.extend_from_slice(argument.as_ref());
            bytes.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&bytes)
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the server reads");
    }

    /// Waits for a reply.
    pub fn receive(&mut self) -> Reply {
        self.try_receive().expect("the server answers within 20 seconds")
    }

    /// A reply that is there already.
    pub fn receive_now(&mut self) -> std::io::Result<Option<Reply>> {
        if self.stream.buffer().is_empty() {
            self.stream.get_ref().set_nonblocking(true)?;
            let found = self.stream.fill_buf().map(<[u8]>::len);
            self.stream.get_ref().set_nonblocking(false)?;
            match found {
                Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        self.try_receive().map(Some)
    }

    /// Waits for a reply; the error of a closed connection or of a long wait.
    pub fn try_receive(&mut self) -> std::io::Result<Reply> {
        let mut open: Vec<(u8, usize, Vec<Reply>)> = Vec::new();
        loop {
            let mut reply = match self.receive_header()? {
                Header::Leaf(reply) => reply,
                Header::Aggregate(kind, length) => {
                    open.push((kind, length, Vec::new()));
                    match open.last() {
                        Some((_, 0, _)) => close(open.pop().expect("it was just pushed")),
                        _ => continue,
                    }
                }
            };
            loop {
                let Some((_, length, items)) = open.last_mut() else { return Ok(reply) };
                items.push(reply);
                if items.len() < *length {
                    break;
                }
                reply = close(open.pop().expect("it is the last"));
            }
        }
    }

    fn receive_header(&mut self) -> std::io::Result<Header> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        let Some(text) = line.strip_suffix(b"\r\n").filter(|text| !text.is_empty()) else {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        };
        let (kind, text) = (text[0], text[1..].to_vec());
        let string = String::from_utf8_lossy(&text).into_owned();
        let number = || -> i64 { string.parse().expect("a length is a number") };
        Ok(Header::Leaf(match kind {
            b'+' => Reply::Status(text.into()),
            b'-' => Reply::Error(text.into()),
            b':' => Reply::Integer(number()),
            b'_' => Reply::Null,
            b'#' => Reply::Boolean(text == b"t"),
            b',' => {
                let number = string.parse().expect("a double is a number");
                let is_decimal = format_double(number) != text;
                if is_decimal { Reply::Decimal(number) } else { Reply::Double(number) }
            }
            b'(' => Reply::BigNumber(text),
            b'$' | b'*' if text == b"-1" => {
                if kind == b'$' {
                    Reply::Null
                } else {
                    Reply::NullArray
                }
            }
            b'$' => Reply::Bulk(self.receive_bytes(number())?),
            b'=' => {
                let bytes = self.receive_bytes(number())?;
                Reply::Verbatim([bytes[0], bytes[1], bytes[2]], bytes[4..].to_vec())
            }
            b'*' | b'~' | b'>' => return Ok(Header::Aggregate(kind, number() as usize)),
            b'%' => return Ok(Header::Aggregate(kind, number() as usize * 2)),
            _ => panic!("no RESP: {}", line.escape_ascii()),
        }))
    }

    fn receive_bytes(&mut self, length: i64) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length as usize + 2];
        self.stream.read_exact(&mut bytes)?;
        bytes.truncate(length as usize);
        Ok(bytes)
    }
}

enum Header {
    Leaf(Reply),
    Aggregate(u8, usize),
}

fn close((kind, _, items): (u8, usize, Vec<Reply>)) -> Reply {
    match kind {
        b'*' => Reply::Array(items),
        b'~' => Reply::Set(items),
        b'>' => Reply::Push(items),
        _ => {
            let mut items = items.into_iter();
            let mut pairs = Vec::new();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                pairs.push((key, value));
            }
            Reply::Map(pairs)
        }
    }
}
