//! The settings of other chat servers: none of their limits on how much a client says, on how many come
//! from one address, and no questions to DNS or ident, since those would be measured instead.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nix::unistd::geteuid;

/// ngircd in the foreground (ngircd.conf(5)). A penalty of 0 seconds is none.
pub(super) fn ngircd(folder: &Path, address: SocketAddr) -> anyhow::Result<Vec<String>> {
    let (ip, port) = (address.ip(), address.port());
    let mut text = format!(
        "[Global]\nName = load.example.net\nInfo = load\nListen = {ip}\nPorts = {port}\nMotdPhrase = load\n"
    );
    if geteuid().is_root() {
        // Or else it becomes nobody, who may not read what is asked about its process.
        text.push_str("ServerUID = 0\nServerGID = 0\n");
    }
    text.push_str(
        "[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\nMaxPenaltyTime = 0\n\
         PingTimeout = 3600\n[Options]\nDNS = no\nIdent = no\nPAM = no\n",
    );
    let file = write(folder, "ngircd.conf", &text)?;
    Ok(vec!["--nodaemon".into(), "--config".into(), file])
}

/// InspIRCd 3 in the foreground. Without its fake lag it drops who talks too fast, beyond a threshold.
pub(super) fn inspircd(folder: &Path, address: SocketAddr) -> anyhow::Result<Vec<String>> {
    let mut text = String::new();
    let (ip, port) = (address.ip(), address.port());
    let pid = folder.join("inspircd.pid");
    // It fails for no string.
    let _ = write!(
        text,
        "<server name=\"load.example.net\" description=\"load\" network=\"load\">\n\
         <admin name=\"load\" nick=\"load\" email=\"load@example.net\">\n\
         <bind address=\"{ip}\" port=\"{port}\" type=\"clients\">\n\
         <connect allow=\"*\" timeout=\"600\" pingfreq=\"3600\" hardsendq=\"16777216\" \
         softsendq=\"16777216\" recvq=\"65536\" threshold=\"1000000\" commandrate=\"1000000000\" \
         fakelag=\"no\" localmax=\"100000\" globalmax=\"100000\" maxconnwarn=\"no\" \
         resolvehostnames=\"no\">\n\
         <performance somaxconn=\"4096\" softlimit=\"100000\" timeskipwarn=\"0s\">\n\
         <pid file=\"{}\">\n",
        pid.display()
    );
    let file = write(folder, "inspircd.conf", &text)?;
    let mut arguments = vec!["--nofork".into(), "--config".into(), file];
    if geteuid().is_root() {
        arguments.push("--runasroot".into());
    }
    Ok(arguments)
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<String> {
    let file: PathBuf = folder.join(name);
    fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    Ok(file.display().to_string())
}
