//! The permissions of a file by its path: fchmodat(2).

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::check;

/// Gives what is at `path` the permission bits `mode`. A symbolic link is not followed: its own bits
/// are changed, or it is refused, as the system has it.
pub(crate) fn no_follow(path: &Path, mode: u32) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let (mode, flags) = (mode as libc::mode_t, libc::AT_SYMLINK_NOFOLLOW);
    // SAFETY: the pointer is that of a live string that ends with a zero byte.
    check(unsafe { libc::fchmodat(libc::AT_FDCWD, path.as_ptr(), mode, flags) }).map(drop)
}
