//! What this server speaks, for those who ask before they try: RPL_ISUPPORT.

use crate::numerics::RPL_ISUPPORT;
use crate::turn::Turn;

/// Tokens in one line, at most: with the nick and the text they make the 15 parameters of a line.
const PER_LINE: usize = 13;

/// Tells all of it.
pub(super) fn tell(turn: &mut Turn<'_>) {
    let config = turn.state.config.clone();
    let limits = &config.limits;
    let tokens = [
        format!("AWAYLEN={}", limits.away),
        "BOT=B".into(),
        "CASEMAPPING=ascii".into(),
        format!("CHANLIMIT=#:{}", limits.channels),
        "CHANMODES=Ibe,k,l,Cimnst".into(),
        format!("CHANNELLEN={}", limits.channel),
        "CHANTYPES=#".into(),
        "ELIST=CMNTU".into(),
        "EXCEPTS=e".into(),
        format!("HOSTLEN={}", 63),
        "INVEX=I".into(),
        format!("KEYLEN={}", limits.key),
        format!("KICKLEN={}", limits.kick),
        format!("MAXLIST=I:{0},b:{0},e:{0}", limits.masks),
        format!("MAXTARGETS={}", limits.targets),
        "MODES".into(),
        format!("MONITOR={}", limits.monitor),
        format!("NAMELEN={}", limits.real_name),
        format!("NETWORK={}", config.network),
        format!("NICKLEN={}", limits.nick),
        "PREFIX=(ov)@+".into(),
        "SAFELIST".into(),
        "STATUSMSG=@+".into(),
        format!(
            "TARGMAX=JOIN:{3},KICK:{1},LIST:{2},NAMES:{1},NOTICE:{0},PART:{3},PRIVMSG:{0},TAGMSG:{0},WHOIS:1",
            limits.targets,
            super::TARGETS,
            super::list::MASKS,
            super::JOINED
        ),
        format!("TOPICLEN={}", limits.topic),
        format!("USERLEN={}", limits.user),
        "UTF8ONLY".into(),
        "WHOX".into(),
    ];
    for tokens in tokens.chunks(PER_LINE) {
        let tokens: Vec<_> = tokens.iter().map(String::as_bytes).collect();
        turn.reply(RPL_ISUPPORT, &tokens);
    }
}
