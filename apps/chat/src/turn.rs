//! One command's turn: what it may see and change, and the one place through which it answers.
//!
//! What goes to the user whose command it is, is an answer, and is held until the command is over: only
//! then is it known whether a label goes on one line, on a batch of several, or on an acknowledgement of
//! none (IRCv3 *labeled-response*). What goes to others goes to the [`Bus`] at once.

use bstr::BString;

use crate::bus::Bus;
use crate::caps::Caps;
use crate::line::{Class, Line};
use crate::message::{self, LINE, Tags};
use crate::numerics::{ERR_TOOMANYMATCHES, Numeric};
use crate::secret::Secret;
use crate::state::{ChannelId, Member, State, User, UserId};
use crate::time::Moment;

/// Steps of work that a line may be without its costing more than a line does. A step is a byte compared with
/// a mask, or something that takes as long: a few nanoseconds.
pub const STEPS_OF_LINE: u64 = 50_000;

/// Steps that a line of an answer is worth.
const STEPS_OF_ANSWER: u64 = 500;

/// Steps that one who hears a line is worth, beside the one for looking at him: a thousand of them are a line more. To write to each takes ten times
/// as long, but by that nobody could talk to thousands faster than once in ten seconds.
const STEPS_OF_HEARER: u64 = 49;

/// Steps that a membership is worth, of those that are gathered to find whom a user shares a channel with.
const STEPS_OF_PEER: u64 = 5;

/// One command's turn.
pub struct Turn<'a> {
    /// Who is here, and where.
    pub state: &'a mut State,
    /// Where lines for others go.
    pub bus: &'a mut dyn Bus,
    /// Whose command it is.
    pub user: UserId,
    /// When it is.
    pub now: Moment,
    /// What is wished for that takes longer: see [`Errand`].
    pub errands: Vec<Errand>,
    /// Steps of work that the command was so far, beside its answers: [`STEPS_OF_LINE`] of them are free.
    pub work: u64,
    /// Whether also an answer that is whole, however long it is, ends where [rows](Turn::row) do: for there are too
    /// many that nobody has taken yet.
    pub bounded: bool,
    label: Option<BString>,
    answers: Vec<Line>,
    /// Bytes that long answers may still have: see [`row`](Turn::row).
    room: usize,
}

/// What a command wishes for that isn't done within its turn.
#[derive(Clone, Debug)]
pub enum Errand {
    /// To compare a password with its hash, away from the loop; then [`checked`](crate::commands::oper::checked)
    /// goes on, and always has to: until then the user can't try again.
    CheckPassword {
        /// Whose OPER it is.
        user: UserId,
        /// The account.
        account: BString,
        /// What was said.
        password: Secret<BString>,
        /// What it is compared with.
        hash: Secret<String>,
        /// The label of the command, which the answer has to bear.
        label: Option<BString>,
    },
    /// To read the file of settings again, for the user whose turn it was.
    Rehash,
}

impl<'a> Turn<'a> {
    /// The turn of a command of `user`'s, which may bear a label.
    pub fn new(
        state: &'a mut State,
        bus: &'a mut dyn Bus,
        user: UserId,
        now: Moment,
        tags: Tags<'_>,
    ) -> Self {
        let labels = Caps::LABELED_RESPONSE.with(Caps::BATCH);
        let wanted = state.users[user].caps.has(labels);
        // 64 bytes are the most that a label may have.
        let fits =
            |label: &[u8]| matches!(label.len(), 1..=64) && std::str::from_utf8(label).is_ok();
        let label = tags.get("label").filter(|label| wanted && fits(label));
        let label = label.map(|label| BString::from(label.into_owned()));
        Self::resumed(state, bus, user, now, label)
    }

    /// The same, of a command that has been read long ago and goes on now.
    pub fn resumed(
        state: &'a mut State,
        bus: &'a mut dyn Bus,
        user: UserId,
        now: Moment,
        label: Option<BString>,
    ) -> Self {
        let room = state.config.limits.send_queue / 2;
        let (errands, answers) = (Vec::new(), Vec::new());
        Self { state, bus, user, now, errands, work: 0, bounded: false, label, answers, room }
    }

    /// The user whose command it is.
    #[must_use]
    pub fn me(&self) -> &User {
        &self.state.users[self.user]
    }

    /// The same, to be changed.
    pub fn me_mut(&mut self) -> &mut User {
        &mut self.state.users[self.user]
    }

    /// The label of the command, if it is to be borne by an answer that comes later: then nothing of this
    /// turn bears it, nor acknowledges it.
    pub fn defer_label(&mut self) -> Option<BString> {
        self.label.take()
    }

    /// Lines of its allowance that the command is worth beyond the one that was taken for it.
    #[must_use]
    pub fn cost(&self) -> u32 {
        let answers = STEPS_OF_ANSWER.saturating_mul(self.answers.len() as u64);
        let lines = self.work.saturating_add(answers) / STEPS_OF_LINE;
        u32::try_from(lines).unwrap_or(u32::MAX)
    }

    // Answers.

    /// Answers with a numeric reply: the parameters, and the text that it always has. Without such a text
    /// the last parameter may be of any bytes.
    pub fn reply(&mut self, numeric: Numeric, params: &[&[u8]]) {
        let line = self.numeric(numeric, params);
        self.answer(line);
    }

    /// The line of a numeric reply.
    #[must_use]
    pub fn numeric(&self, numeric: Numeric, params: &[&[u8]]) -> Line {
        let line = self.server_line(numeric.code).param(self.me().nick());
        match (numeric.text, params.split_last()) {
            (Some(text), _) => params.iter().fold(line, Line::param).last(text),
            (None, Some((last, middle))) => middle.iter().fold(line, Line::param).last(last),
            (None, None) => line,
        }
    }

    /// Answers with one line of as many as are found, if half the queue has room for it and those before. If not,
    /// the command ends with ERR_TOOMANYMATCHES, which is answered now, and there are to be no more rows.
    #[must_use]
    pub fn row(&mut self, line: Line, command: &str) -> bool {
        let left = self.room.checked_sub(line.most_bytes());
        match left {
            Some(left) => {
                self.room = left;
                self.answer(line);
            }
            None => self.reply(ERR_TOOMANYMATCHES, &[command.as_bytes()]),
        }
        left.is_some()
    }

    /// Answers with a numeric reply that lists words after these parameters: with as many lines as it
    /// takes, and none without words.
    pub fn reply_list(
        &mut self,
        numeric: Numeric,
        params: &[&[u8]],
        words: impl IntoIterator<Item = impl AsRef<[u8]>>,
        separator: u8,
    ) {
        let start = self.server_line(numeric.code).param(self.me().nick());
        let start = params.iter().fold(start, Line::param);
        // Beside the words there are " :" and the end of the line.
        let room = LINE.saturating_sub(start.bytes(Class::PLAIN).len() + 2);
        let mut list: Vec<u8> = Vec::new();
        for word in words {
            let word = word.as_ref();
            if !list.is_empty() && list.len() + 1 + word.len() > room {
                self.answer(start.clone().last(&list));
                list.clear();
            }
            if !list.is_empty() {
                list.push(separator);
            }
            list.extend_from_slice(word);
        }
        if !list.is_empty() {
            self.answer(start.last(&list));
        }
    }

    /// Answers with a standard reply, FAIL, that the extension which the command belongs to asks for:
    /// so also to who hasn't asked for standard replies.
    pub fn fail_specified(&mut self, command: &str, code: &str, text: &str) {
        let line = self.server_line("FAIL").param(command).param(code).last(text);
        self.answer(line);
    }

    /// Answers with a standard reply, FAIL: or, to who hasn't asked for those, with a notice that says the
    /// same (IRCv3 *standard-replies*).
    pub fn fail(&mut self, command: &str, code: &str, context: &[&[u8]], text: &str) {
        let line = if self.me().caps.has(Caps::STANDARD_REPLIES) {
            let line = self.server_line("FAIL").param(command).param(code);
            context.iter().fold(line, Line::param).last(text)
        } else {
            let line = self.server_line("NOTICE").param(self.me().nick());
            line.last(format!("*** {command}: {text}"))
        };
        self.answer(line);
    }

    /// Answers with a line.
    pub fn answer(&mut self, line: Line) {
        self.answers.push(line);
    }

    // Lines.

    /// A line of the server's.
    #[must_use]
    pub fn server_line(&self, command: &str) -> Line {
        Line::new(self.now, self.state.config.name.as_bytes(), command)
    }

    /// A line of the user's whose command it is.
    #[must_use]
    pub fn my_line(&self, command: &str) -> Line {
        self.me().line(self.now, command)
    }

    /// The ID of a message that is about to be sent: never the same one twice, also after a restart, as
    /// long as the clock isn't set back.
    pub fn message_id(&mut self) -> String {
        let count = self.state.next_message();
        format!("{:x}-{count:x}", self.state.since.unix_ms())
    }

    // For others.

    /// Tells one user; whose command it is, is answered.
    pub fn tell(&mut self, user: UserId, line: Line) {
        if user == self.user {
            self.answer(line);
        } else {
            self.bus.publish(&line, &mut std::iter::once(user));
        }
    }

    /// Tells `users`, of whom one may be who is answered.
    pub fn tell_all(&mut self, users: impl IntoIterator<Item = UserId>, line: Line) {
        let mut answered = false;
        let me = self.user;
        let others = users.into_iter().filter(|user| {
            answered |= *user == me;
            *user != me
        });
        publish(self.bus, &mut self.work, STEPS_OF_HEARER, &line, others);
        if answered {
            self.answer(line);
        }
    }

    /// Tells the members of a channel for whom `whom` holds. Its operators aren't charged for who hears it: who
    /// bans somebody wants to kick him next.
    pub fn tell_channel(
        &mut self,
        channel: ChannelId,
        line: Line,
        mut whom: impl FnMut(UserId, &State) -> bool,
    ) {
        let me = self.user;
        let members =
            self.state.channels[channel].members().iter().map(|member: &Member| member.user);
        let state = &*self.state;
        let told = members.filter(|user| *user != me && whom(*user, state));
        let worth = if state.channels[channel].is_operator(me) { 0 } else { STEPS_OF_HEARER };
        self.work += state.channels[channel].members().len() as u64;
        publish(self.bus, &mut self.work, worth, &line, told);
        if state.channels[channel].has(me) && whom(me, state) {
            self.answer(line);
        }
    }

    /// Tells those who share a channel with the user whose command it is, each once, and have these
    /// capabilities.
    pub fn tell_peers(&mut self, line: &Line, with: Caps) {
        let peers = self.state.peers(self.user);
        let (users, channels) = (&self.state.users, &self.state.channels);
        let gathered = users[self.user].channels.iter().map(|id| channels[*id].members().len());
        self.work += STEPS_OF_PEER * gathered.sum::<usize>() as u64;
        let told = peers.into_iter().filter(|peer| users[*peer].caps.has(with));
        publish(self.bus, &mut self.work, STEPS_OF_HEARER, line, told);
    }

    /// Ends the command: what it has answered goes out, with its label if it bore one.
    pub fn finish(mut self) -> Vec<Errand> {
        let Some(me) = self.state.users.get(self.user) else { return self.errands };
        let class = me.caps.class();
        let mut out = Vec::new();
        let label = self.label.take().map(|label| {
            let mut escaped = Vec::new();
            message::escape(&label, &mut escaped);
            escaped
        });
        match (label, &self.answers[..]) {
            (None, answers) => answers.iter().for_each(|line| line.write(class, &[], &mut out)),
            (Some(label), []) => {
                self.server_line("ACK").write(class, &[("label", &label)], &mut out);
            }
            (Some(label), [line]) => line.write(class, &[("label", &label)], &mut out),
            (Some(label), answers) => {
                let id = self.state.next_message().to_string();
                let begin =
                    self.server_line("BATCH").param(format!("+{id}")).param("labeled-response");
                begin.write(class, &[("label", &label)], &mut out);
                answers
                    .iter()
                    .for_each(|line| line.write(class, &[("batch", id.as_bytes())], &mut out));
                self.server_line("BATCH").param(format!("-{id}")).write(class, &[], &mut out);
            }
        }
        if !out.is_empty() {
            self.bus.tell(self.user, &out);
        }
        self.errands
    }
}

/// Tells these users, and adds to `work` what each of them is worth.
fn publish(
    bus: &mut dyn Bus,
    work: &mut u64,
    worth: u64,
    line: &Line,
    to: impl Iterator<Item = UserId>,
) {
    bus.publish(line, &mut to.inspect(|_| *work += worth));
}
