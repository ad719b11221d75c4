//! What only Unix sockets have: a name that isn't a number, and a file that outlives its server.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{self, Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::sys::flock;

/// The longest path or abstract name in bytes, with one zero byte at its end or beginning to come:
/// 107 on Linux, 103 on the BSDs and macOS (unix(7), `sun_path`).
const LONGEST: usize = size_of::<libc::sockaddr_un>() - offset_of!(libc::sockaddr_un, sun_path) - 1;

/// How often, and with what pause, the lock of a directory is asked for.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// How often a stale file is replaced, if others keep taking the place.
const BIND_TRIES: u32 = 4;

/// The file of a bound socket. It is removed on drop, if it is still the one that was made: a socket
/// that is bound keeps its inode's number from being used again.
#[derive(Debug)]
pub(super) struct SocketFile {
    /// Absolute, since the working directory may change.
    path: PathBuf,
    inode: (u64, u64),
    /// A forked child that ends doesn't remove what its parent still serves.
    process: u32,
}

impl SocketFile {
    /// Binds `socket` to `path`, in place of a stale file if there is one, and gives the file
    /// `mode`. The caller listens afterwards: until then nobody can connect, whatever the mode.
    ///
    /// # Who gets the path
    ///
    /// bind(2) makes the file, or fails if anything is there. So a path that is free goes to one of
    /// several servers that start at the same time, and only a stale file needs care. What is stale
    /// is decided by [`is_bound`], also for a server that has bound and doesn't listen yet. Between
    /// that answer and the removal another server may have replaced the file, and it would be that
    /// one's file that goes: so both happen under a lock (flock(2)) of the directory, which leaves
    /// nothing behind. Renaming a socket over the stale file needs no lock, but the last of two
    /// wins there, unknown to the first; and peers would be told the temporary name.
    ///
    /// The lock binds those who use it. In a directory that can't be locked (not readable, or on
    /// some network file systems), or whose lock somebody keeps for more than
    /// [`LOCK_TRIES`] × [`LOCK_PAUSE`], the replacement goes on without.
    pub(super) fn bind(socket: &Socket, path: &Path, mode: Option<u32>) -> io::Result<Self> {
        let address = path_address(path)?;
        let absolute = path::absolute(path)?;
        bind_or_replace(socket, path, &address)?;
        let file = Self {
            inode: inode(&fs::symlink_metadata(path)?),
            path: absolute,
            process: process::id(),
        };
        if let Some(mode) = mode {
            set_mode(path, file.inode, mode)?;
        }
        Ok(file)
    }
}

/// Gives the socket's file `mode`, and no other file: whoever may write the directory may have put one
/// in its place, such as a symbolic link to one that is ours.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_mode(path: &Path, ours: (u64, u64), mode: u32) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // This descriptor stands for the file that is there now, whatever becomes of the path (open(2)).
    let flags = libc::O_PATH | libc::O_NOFOLLOW;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if inode(&found) != ours || !found.file_type().is_socket() {
        return Err(io::Error::new(
            ErrorKind::AddrInUse,
            "somebody has replaced the socket's file",
        ));
    }
    // fchmod(2) refuses such a descriptor, its name in proc(5) is taken.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::set_permissions(name, Permissions::from_mode(mode))
}

/// Gives what is at `path` `mode`, unless that is a symbolic link.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_mode(path: &Path, _ours: (u64, u64), mode: u32) -> io::Result<()> {
    crate::sys::chmod::no_follow(path, mode)
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|found| inode(&found) == self.inode);
        if ours && process::id() == self.process {
            // If it can't be removed, the next server replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The address of a socket with a file at `path`.
pub(super) fn path_address(path: &Path) -> io::Result<SockAddr> {
    let bytes = path.as_os_str().as_bytes();
    check_length("path", bytes)?;
    if bytes.contains(&0) {
        // In front it would make an abstract name, further back it would end the path.
        return Err(io::Error::new(ErrorKind::InvalidInput, "the path has a zero byte"));
    }
    SockAddr::unix(path)
}

/// The address of a socket without a file (unix(7), "abstract").
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn abstract_address(name: &[u8]) -> io::Result<SockAddr> {
    use std::ffi::OsStr;
    check_length("abstract name", name)?;
    SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat()))
}

/// There are no such addresses on this system.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn abstract_address(_name: &[u8]) -> io::Result<SockAddr> {
    Err(io::Error::new(ErrorKind::Unsupported, "this system has no abstract names"))
}

fn check_length(what: &str, bytes: &[u8]) -> io::Result<()> {
    let complaint = match bytes.len() {
        0 => format!("the {what} is empty"),
        1..=LONGEST => return Ok(()),
        length => {
            format!("the {what} has {length} bytes, a Unix socket's may have {LONGEST}")
        }
    };
    Err(io::Error::new(ErrorKind::InvalidInput, complaint))
}

fn inode(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn bind_or_replace(socket: &Socket, path: &Path, address: &SockAddr) -> io::Result<()> {
    let mut bound = socket.bind(address);
    let mut lock = None;
    for _ in 0..BIND_TRIES {
        if !bound.as_ref().is_err_and(|error| error.kind() == ErrorKind::AddrInUse) {
            break;
        }
        lock = lock.or_else(|| lock_directory(path));
        remove_stale(path, address)?;
        bound = socket.bind(address);
    }
    bound
}

/// The directory of `path`, locked for as long as it is open.
fn lock_directory(path: &Path) -> Option<File> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECTORY)
        .open(parent.unwrap_or(Path::new(".")))
        .ok()?;
    for _ in 0..LOCK_TRIES {
        match flock::try_exclusive(&directory) {
            Ok(()) => return Some(directory),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOCK_PAUSE),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    None
}

/// Removes the file at `path` if it is a socket's that nobody is bound to, and fails if it is
/// anything else. Nothing there is fine, too.
fn remove_stale(path: &Path, address: &SockAddr) -> io::Result<()> {
    let absent = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            let complaint = "there is a file that isn't a socket, and it is left alone";
            return Err(io::Error::new(ErrorKind::AlreadyExists, complaint));
        }
        Err(error) if absent(&error) => return Ok(()),
        other => other.map(drop)?,
    }
    match is_bound(address) {
        Ok(false) => {}
        Ok(true) => return Err(io::Error::from_raw_os_error(libc::EADDRINUSE)),
        Err(error) if absent(&error) => return Ok(()),
        Err(error) => {
            let complaint = format!("there is a socket that may be in use ({error})");
            return Err(io::Error::new(ErrorKind::AddrInUse, complaint));
        }
    }
    match fs::remove_file(path) {
        Err(error) if !absent(&error) => {
            let complaint = format!("there is a stale socket that can't be removed ({error})");
            Err(io::Error::new(error.kind(), complaint))
        }
        _ => Ok(()),
    }
}

/// Whether a stream socket's file has a socket behind it, by connecting a *datagram* socket to it.
///
/// The kernel finds the socket first and objects to its type afterwards (EPROTOTYPE), so that no
/// server sees a stray connection, and one counts as bound before it listens. A stream socket would
/// be refused by such a server, and on the BSDs by one whose backlog is full.
fn is_bound(address: &SockAddr) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    probe.set_nonblocking(true)?;
    match probe.connect(address) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => Ok(true),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::net::{Accepted, Address, ListenOptions, Listener};

    /// A directory that is gone when the test is.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            static COUNTER: AtomicU32 = AtomicU32::new(0);
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = env::temp_dir().join(format!("reactor-{}-{number}", process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn path(&self) -> PathBuf {
            self.0.join("socket")
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn listen(path: &Path) -> io::Result<Listener> {
        Listener::unix(path, &ListenOptions::default())
    }

    fn serves(listener: &Listener, path: &Path) {
        let mut client = UnixStream::connect(path).unwrap();
        let Accepted::Connection(socket, peer) = listener.accept() else { panic!("nobody came") };
        assert_eq!(peer, Address::Unnamed);
        assert!(socket.nonblocking().unwrap());
        drop(socket);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        assert!(matches!(listener.accept(), Accepted::Empty));
    }

    /// Somebody's file is in the way: the answer has `kind`, says where, and leaves the file alone.
    fn refused(path: &Path, kind: ErrorKind) {
        let before = inode(&fs::symlink_metadata(path).unwrap());
        let error = listen(path).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(&format!("listen on {}: ", path.display())));
        assert_eq!(inode(&fs::symlink_metadata(path).unwrap()), before);
    }

    #[test]
    fn the_file_comes_and_goes_with_the_listener() {
        let directory = Directory::new();
        let path = directory.path();
        let listener = listen(&path).unwrap();
        assert_eq!(listener.local_addr(), &Address::Path(path.clone()));
        serves(&listener, &path);
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_named_client_is_known_by_its_path() {
        let directory = Directory::new();
        let listener = listen(&directory.path()).unwrap();
        let (name, server) = (directory.0.join("client"), directory.path());
        let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        client.bind(&SockAddr::unix(&name).unwrap()).unwrap();
        client.connect(&SockAddr::unix(&server).unwrap()).unwrap();
        let Accepted::Connection(_, peer) = listener.accept() else { panic!("nobody came") };
        assert_eq!(peer, Address::Path(name));
    }

    #[test]
    fn a_stale_file_is_replaced() {
        let directory = Directory::new();
        let path = directory.path();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        serves(&listen(&path).unwrap(), &path);
    }

    #[test]
    fn a_live_server_is_neither_replaced_nor_disturbed() {
        let directory = Directory::new();
        let path = directory.path();
        let first = listen(&path).unwrap();
        refused(&path, ErrorKind::AddrInUse);
        assert!(matches!(first.accept(), Accepted::Empty));
        serves(&first, &path);
    }

    #[test]
    fn a_server_counts_before_it_listens() {
        let directory = Directory::new();
        let early = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        early.bind(&SockAddr::unix(directory.path()).unwrap()).unwrap();
        refused(&directory.path(), ErrorKind::AddrInUse);
    }

    #[test]
    fn sockets_of_other_types_are_left_alone() {
        let directory = Directory::new();
        let _other = UnixDatagram::bind(directory.path()).unwrap();
        refused(&directory.path(), ErrorKind::AddrInUse);
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let directory = Directory::new();
        let path = directory.path();
        fs::write(&path, "precious").unwrap();
        refused(&path, ErrorKind::AlreadyExists);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused(&path, ErrorKind::AlreadyExists);
        fs::remove_dir(&path).unwrap();
        let target = directory.0.join("target");
        drop(UnixListener::bind(&target).unwrap());
        symlink(&target, &path).unwrap();
        refused(&path, ErrorKind::AlreadyExists);
        assert!(target.exists());
    }

    #[test]
    fn a_file_that_is_another_servers_by_now_stays() {
        let directory = Directory::new();
        let path = directory.path();
        let first = listen(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = listen(&path).unwrap();
        drop(first);
        serves(&second, &path);
    }

    #[test]
    fn one_of_many_gets_a_stale_path() {
        const SERVERS: usize = 8;
        let directory = Directory::new();
        let path = directory.path();
        for _ in 0..25 {
            drop(UnixListener::bind(&path).unwrap());
            let start = Barrier::new(SERVERS);
            let race = || {
                start.wait();
                listen(&path)
            };
            let results: Vec<_> = thread::scope(|scope| {
                let servers: Vec<_> = (0..SERVERS).map(|_| scope.spawn(race)).collect();
                servers.into_iter().map(|server| server.join().unwrap()).collect()
            });
            let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
            assert_eq!(won.len(), 1);
            for result in lost {
                assert_eq!(result.unwrap_err().kind(), ErrorKind::AddrInUse);
            }
            serves(won[0].as_ref().unwrap(), &path);
        }
    }

    #[test]
    fn the_file_has_the_mode_that_was_asked_for() {
        let directory = Directory::new();
        for mode in [0o600, 0o666] {
            let options = ListenOptions::default().file_mode(mode);
            let _listener = Listener::unix(&directory.path(), &options).unwrap();
            let found = fs::metadata(directory.path()).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode);
        }
    }

    /// Whoever may write the directory can put it there between bind(2) and chmod(2).
    #[test]
    fn the_mode_is_the_sockets_and_nobody_elses() {
        let directory = Directory::new();
        let (path, precious) = (directory.path(), directory.0.join("precious"));
        fs::write(&precious, "data").unwrap();
        fs::set_permissions(&precious, Permissions::from_mode(0o600)).unwrap();
        let listener = listen(&path).unwrap();
        let ours = inode(&fs::symlink_metadata(&path).unwrap());
        set_mode(&path, ours, 0o640).unwrap();
        fs::rename(&path, directory.0.join("elsewhere")).unwrap();
        symlink(&precious, &path).unwrap();
        // Some systems have permissions of the link itself.
        let refused = set_mode(&path, ours, 0o666).is_err();
        assert!(refused || cfg!(not(any(target_os = "linux", target_os = "android"))));
        assert_eq!(fs::metadata(&precious).unwrap().permissions().mode() & 0o777, 0o600);
        drop(listener);
        assert!(path.symlink_metadata().is_ok(), "nor is it removed");
    }

    #[test]
    fn impossible_names_are_explained() {
        let long = "x".repeat(LONGEST + 1);
        for (path, part) in
            [("", "empty"), (long.as_str(), "may have"), ("a\0b", "zero"), ("\0a", "zero")]
        {
            let error = listen(Path::new(path)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(path_address(Path::new(&long[1..])).is_ok());
        let directory = Directory::new();
        let error = listen(&directory.path().join("socket")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn an_abstract_name_is_taken_once_and_leaves_nothing() {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;
        let name = format!("reactor-{}", process::id()).into_bytes();
        let options = ListenOptions::default();
        for _ in 0..2 {
            let listener = Listener::unix_abstract(&name, &options).unwrap();
            let address = SocketAddr::from_abstract_name(&name).unwrap();
            let _client = UnixStream::connect_addr(&address).unwrap();
            assert!(matches!(listener.accept(), Accepted::Connection(..)));
            let error = Listener::unix_abstract(&name, &options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().starts_with("listen on @reactor-"), "{error}");
        }
        let error = Listener::unix_abstract(&[0; LONGEST + 1], &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(Listener::unix_abstract(b"", &options).is_err());
    }
}
