//! What is to be run inside, as the bytes that travel there.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Command;

use super::{Bounds, Cell, Network, Strength, words_of};

/// A command and its cell. It holds secrets: no `Debug`.
pub(super) struct Order {
    pub(super) strength: Strength,
    pub(super) cell: Cell,
    pub(super) folder: PathBuf,
    pub(super) variables: Vec<(OsString, OsString)>,
    pub(super) words: Vec<OsString>,
}

impl Order {
    /// Gathers what a command says; its folders are made to hold from everywhere.
    pub(super) fn of(strength: Strength, command: &Command, cell: &Cell) -> io::Result<Self> {
        let mut cell = cell.clone();
        for path in cell
            .reads
            .iter_mut()
            .chain(&mut cell.writes)
            .chain(&mut cell.tmp)
        {
            *path = std::path::absolute(&path)?;
        }
        // It would cover what lies there.
        if cell
            .reads
            .iter()
            .chain(&cell.writes)
            .any(|it| it.starts_with("/tmp"))
        {
            cell.tmp = None;
        }
        let folder = command.get_current_dir();
        let folder = folder.ok_or_else(|| io::Error::other("the command has no folder"))?;
        let variables = command.get_envs().filter_map(|(name, value)| {
            let value = value?;
            Some((name.to_owned(), value.to_owned()))
        });
        Ok(Self {
            strength,
            folder: std::path::absolute(folder)?,
            variables: variables.collect(),
            words: words_of(command),
            cell,
        })
    }

    /// Writes the order as records: a letter, a value, and a NUL, which no value has.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut add = |tag: u8, value: &[u8]| {
            bytes.push(tag);
            bytes.extend_from_slice(value);
            bytes.push(0);
        };
        add(b's', self.strength.as_str().as_bytes());
        add(b'd', self.folder.as_os_str().as_bytes());
        for (tag, paths) in [(b'r', &self.cell.reads), (b'w', &self.cell.writes)] {
            for path in paths {
                add(tag, path.as_os_str().as_bytes());
            }
        }
        if let Some(path) = &self.cell.tmp {
            add(b't', path.as_os_str().as_bytes());
        }
        match &self.cell.network {
            Network::Nothing => add(b'n', b""),
            Network::Own => add(b'o', b""),
            Network::Everything => add(b'a', b""),
            Network::Ports(ports) => {
                for port in ports {
                    add(b'p', port.to_string().as_bytes());
                }
            }
        }
        if self.cell.listens {
            add(b'l', b"");
        }
        let bounds = &self.cell.bounds;
        let numbers = [
            bounds.memory_bytes,
            bounds.file_bytes,
            bounds.files,
            bounds.processes,
        ];
        for number in numbers {
            add(b'b', number.to_string().as_bytes());
        }
        for (name, value) in &self.variables {
            let mut pair = name.as_bytes().to_vec();
            pair.push(b'=');
            pair.extend_from_slice(value.as_bytes());
            add(b'e', &pair);
        }
        for word in &self.words {
            add(b'c', word.as_bytes());
        }
        bytes
    }

    /// Reads the records; none where they are not ours.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let of = |tag: u8| {
            let records = bytes.split(|byte| *byte == 0);
            records.filter_map(move |record| record.strip_prefix(&[tag]))
        };
        let text = |tag: u8| of(tag).filter_map(|value| std::str::from_utf8(value).ok());
        let path = |value: &[u8]| PathBuf::from(OsString::from_vec(value.to_vec()));
        let word = text(b's').next()?;
        let (_, strength) = *Strength::WORDS.iter().find(|(known, _)| *known == word)?;
        let mut numbers = text(b'b').map(|number| number.parse().ok());
        let mut number = || numbers.next().flatten();
        let bounds = Bounds {
            memory_bytes: number()?,
            file_bytes: number()?,
            files: number()?,
            processes: number()?,
        };
        let network = if of(b'a').next().is_some() {
            Network::Everything
        } else if of(b'n').next().is_some() {
            Network::Nothing
        } else if of(b'o').next().is_some() {
            Network::Own
        } else {
            Network::Ports(text(b'p').filter_map(|port| port.parse().ok()).collect())
        };
        let pair = |value: &[u8]| {
            let at = value.iter().position(|byte| *byte == b'=')?;
            let owned = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
            Some((owned(&value[..at]), owned(&value[at + 1..])))
        };
        Some(Self {
            strength,
            cell: Cell {
                reads: of(b'r').map(path).collect(),
                writes: of(b'w').map(path).collect(),
                tmp: of(b't').map(path).next(),
                network,
                listens: of(b'l').next().is_some(),
                bounds,
            },
            folder: of(b'd').map(path).next()?,
            variables: of(b'e').filter_map(pair).collect(),
            words: of(b'c')
                .map(|word| OsStr::from_bytes(word).to_owned())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_comes_out_as_it_went_in() {
        let mut command = Command::new("node");
        command.args(["--x", "", "a b\n"]).current_dir("/tree");
        command.env_clear().env("NAME", "a=b").env("EMPTY", "");
        let cell = Cell {
            reads: vec!["/usr".into(), "/tree".into()],
            writes: vec!["/scratch".into()],
            tmp: Some("/scratch".into()),
            network: Network::Ports(vec![443, 8080]),
            listens: true,
            bounds: Bounds {
                memory_bytes: 1,
                file_bytes: 2,
                files: 3,
                processes: 4,
            },
        };
        for strength in [Strength::Full, Strength::Landlock, Strength::Off] {
            let sent = Order::of(strength, &command, &cell).expect("an order");
            let got = Order::decode(&sent.encode()).expect("the order");
            assert_eq!(got.strength, strength);
            assert_eq!(got.words, ["node", "--x", "", "a b\n"]);
            assert_eq!(got.folder, PathBuf::from("/tree"));
            assert_eq!(got.variables, sent.variables);
            assert_eq!(got.variables.len(), 2);
            assert_eq!(format!("{:?}", got.cell), format!("{cell:?}"));
        }
        assert!(Order::decode(b"").is_none());
    }
}
