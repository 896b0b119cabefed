// SPDX-License-Identifier: GPL-2.0-only

//! The functions of one x86-64 ELF file: what each calls, and which system calls
//! it makes.
//!
//! There need be no symbols: a function begins where a symbol, a call, an
//! address in the data or one that code takes points. Its end is the next one's
//! beginning, and what runs on from one into the next is an edge.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register,
};
use object::elf::FileHeader64;
use object::read::elf::ElfFile;
use object::{
    Endianness, Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget,
    SectionKind, SymbolKind,
};

/// A file in the format that is read.
pub type Elf<'a> = ElfFile<'a, FileHeader64<Endianness>>;

/// What a function refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    /// The function at this address of the same file.
    Here(u64),
    /// A name that another file may have.
    Name(String),
}

/// A function.
#[derive(Debug, Default)]
pub struct Function {
    /// What it calls, or takes the address of.
    pub to: BTreeSet<To>,
    /// The numbers of its system calls.
    pub numbers: BTreeSet<u32>,
    /// System calls of which the number is not known.
    pub unknown: u32,
}

/// The code of a file.
#[derive(Debug, Default)]
pub struct File {
    /// The functions, by the address at which they begin.
    pub functions: BTreeMap<u64, Function>,
    /// The addresses of names that others may use.
    pub exports: BTreeMap<String, u64>,
    /// Names for people.
    pub names: BTreeMap<u64, String>,
    /// Where execution begins, and what the data points to.
    pub roots: BTreeSet<To>,
}

/// Where a reference through the global offset table leads.
type Slots = BTreeMap<u64, To>;

struct Reader<'a> {
    file: File,
    slots: Slots,
    starts: BTreeSet<u64>,
    /// The names to which a stub jumps on.
    stubs: BTreeMap<u64, String>,
    sections: Vec<(u64, &'a [u8])>,
}

/// Reads the code of a file.
pub fn read(elf: &Elf<'_>) -> File {
    let sections: Vec<(u64, &[u8])> = elf
        .sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .filter_map(|section| Some((section.address(), section.data().ok()?)))
        .collect();
    let mut reader = Reader {
        file: File::default(),
        slots: Slots::new(),
        starts: BTreeSet::new(),
        stubs: BTreeMap::new(),
        sections,
    };
    reader.symbols(elf);
    reader.relocations(elf);
    reader.data(elf);
    // The first look finds where functions begin, the second what they do.
    reader.sweep(&mut |reader, _, instruction| {
        let target = branch(instruction).filter(|_| instruction.is_call_near());
        let taken = address_taken(instruction);
        for address in target.into_iter().chain(taken) {
            if reader.is_code(address) {
                reader.starts.insert(address);
            }
        }
    });
    reader.sweep(&mut |reader, _, instruction| {
        let jumps = instruction.flow_control() == FlowControl::IndirectBranch;
        if jumps && instruction.is_ip_rel_memory_operand() {
            let slot = reader.slots.get(&instruction.ip_rel_memory_address());
            if let Some(To::Name(name)) = slot.cloned() {
                let stub = reader.start(instruction.ip());
                reader.stubs.entry(stub).or_insert(name);
            }
        }
    });
    reader.functions();
    reader.file
}

impl Reader<'_> {
    fn is_code(&self, address: u64) -> bool {
        self.sections.iter().any(|&(start, data)| {
            address
                .checked_sub(start)
                .is_some_and(|at| at < data.len() as u64)
        })
    }

    fn symbols(&mut self, elf: &Elf<'_>) {
        for symbol in elf.symbols().chain(elf.dynamic_symbols()) {
            let name = symbol.name().unwrap_or_default();
            let address = symbol.address();
            let code = !matches!(symbol.kind(), SymbolKind::Data | SymbolKind::Tls);
            if symbol.is_undefined() || name.is_empty() || !code || !self.is_code(address) {
                continue;
            }
            self.starts.insert(address);
            self.file.names.entry(address).or_insert(name.to_owned());
        }
        for symbol in elf
            .dynamic_symbols()
            .filter(|symbol| symbol.is_definition())
        {
            if let Ok(name) = symbol.name() {
                self.file.exports.insert(name.to_owned(), symbol.address());
            }
        }
        self.starts.insert(elf.entry());
        self.file.roots.insert(To::Here(elf.entry()));
    }

    fn relocations(&mut self, elf: &Elf<'_>) {
        let table = elf.dynamic_symbol_table();
        for (at, relocation) in elf.dynamic_relocations().into_iter().flatten() {
            let to = match relocation.target() {
                RelocationTarget::Symbol(index) => table
                    .as_ref()
                    .and_then(|table| {
                        use object::ObjectSymbolTable;
                        table.symbol_by_index(index).ok()
                    })
                    .and_then(|symbol| symbol.name().ok().map(str::to_owned))
                    .map(To::Name),
                _ => Some(To::Here(relocation.addend() as u64)),
            };
            let Some(to) = to else { continue };
            match &to {
                To::Here(address) if !self.is_code(*address) => continue,
                To::Here(address) => {
                    self.starts.insert(*address);
                }
                To::Name(_) => {}
            }
            // What one function of many refers to is that one's; a pointer in the
            // data anybody may follow.
            let slot = match relocation.flags() {
                RelocationFlags::Elf { r_type } => matches!(
                    r_type,
                    object::elf::R_X86_64_JUMP_SLOT | object::elf::R_X86_64_GLOB_DAT
                ),
                _ => false,
            };
            if !slot {
                self.file.roots.insert(to.clone());
            }
            self.slots.insert(at, to);
        }
    }

    /// Pointers to code in the data of a program that is not relocated.
    fn data(&mut self, elf: &Elf<'_>) {
        if elf.kind() != object::ObjectKind::Executable {
            return;
        }
        for section in elf.sections() {
            // What is loaded, .init_array among it.
            let data = section.address() != 0 && section.kind() != SectionKind::Text;
            let bytes = match section.data() {
                Ok(bytes) if data => bytes,
                _ => continue,
            };
            for (i, word) in bytes.chunks_exact(8).enumerate() {
                let address = word.try_into().map(u64::from_le_bytes).unwrap_or_default();
                let at = section.address() + 8 * i as u64;
                // What the linker fills in has a name.
                if self.is_code(address) && !self.slots.contains_key(&at) {
                    self.starts.insert(address);
                    self.file.roots.insert(To::Here(address));
                    self.slots.insert(at, To::Here(address));
                }
            }
        }
    }

    /// Shows each instruction, and the section's place among them.
    fn sweep(&mut self, see: &mut dyn FnMut(&mut Self, usize, &Instruction)) {
        for (index, (start, data)) in self.sections.clone().into_iter().enumerate() {
            let mut decoder = Decoder::with_ip(64, data, start, DecoderOptions::NONE);
            let mut instruction = Instruction::default();
            while decoder.can_decode() {
                decoder.decode_out(&mut instruction);
                see(self, index, &instruction);
            }
        }
    }

    fn functions(&mut self) {
        let mut current = (usize::MAX, 0u64);
        let mut body: Vec<Instruction> = Vec::new();
        self.sweep(&mut |reader, section, instruction| {
            let ip = instruction.ip();
            if section != current.0 || reader.starts.contains(&ip) {
                // Behind what pads the end, or a call that does not return, nothing
                // goes on.
                let runs_on = |last: &Instruction| {
                    goes_on(last)
                        && last.mnemonic() != Mnemonic::Nop
                        && last.flow_control() != FlowControl::Call
                };
                if section == current.0 && body.last().is_some_and(runs_on) {
                    reader.function(current.1).to.insert(To::Here(ip));
                }
                reader.one(current.1, &body);
                body.clear();
                current = (section, ip);
            }
            body.push(*instruction);
        });
        self.one(current.1, &body);
    }

    /// Looks at a function, with what is known where its own branches lead.
    fn one(&mut self, function: u64, body: &[Instruction]) {
        let (Some(first), Some(last)) = (body.first(), body.last()) else {
            return;
        };
        let range = first.ip()..last.next_ip();
        let mut states: BTreeMap<u64, Known> = BTreeMap::new();
        // What is known gets less each time; where it does not settle, nothing is.
        for _ in 0..MAX_ROUNDS {
            let before = states.clone();
            self.walk(&mut states, &range, body, &mut |_, _, _| {});
            if states == before {
                self.walk(
                    &mut states,
                    &range,
                    body,
                    &mut |reader, instruction, known| {
                        reader.instruction(function, instruction, known);
                    },
                );
                return;
            }
        }
        for instruction in body {
            self.instruction(function, instruction, &Known::default());
        }
    }

    fn walk(
        &mut self,
        states: &mut BTreeMap<u64, Known>,
        range: &std::ops::Range<u64>,
        body: &[Instruction],
        see: &mut dyn FnMut(&mut Self, &Instruction, &Known),
    ) {
        let mut known = Known::default();
        let mut falls = true;
        for instruction in body {
            match states.get(&instruction.ip()) {
                Some(state) if falls => known.meet(state),
                Some(state) => known = state.clone(),
                None if falls => {}
                None => known = Known::default(),
            }
            see(self, instruction, &known);
            known.see(instruction);
            let target = branch(instruction).filter(|target| range.contains(target));
            if let Some(target) = target.filter(|_| !instruction.is_call_near()) {
                match states.entry(target) {
                    Entry::Vacant(entry) => {
                        entry.insert(known.clone());
                    }
                    Entry::Occupied(mut entry) => entry.get_mut().meet(&known),
                }
            }
            falls = goes_on(instruction);
        }
    }

    fn function(&mut self, at: u64) -> &mut Function {
        self.file.functions.entry(at).or_default()
    }

    /// The function that an address is in.
    fn start(&self, address: u64) -> u64 {
        let before = self.starts.range(..=address).next_back();
        before.copied().unwrap_or(address)
    }

    fn instruction(&mut self, function: u64, instruction: &Instruction, known: &Known) {
        let mut to = None;
        if let Some(target) = branch(instruction) {
            let target = self.start(target);
            if target != function {
                to = Some(To::Here(target));
            }
        } else if let Some(address) = address_taken(instruction) {
            if self.is_code(address) {
                to = Some(To::Here(self.start(address)));
            }
        }
        if instruction.is_ip_rel_memory_operand() {
            let slot = self.slots.get(&instruction.ip_rel_memory_address());
            to = to.or(slot.cloned());
        }
        // Whose wrapper's first argument is the number.
        let wrapper = match &to {
            Some(To::Name(name)) => name == "syscall",
            Some(To::Here(address)) => self.plain(*address) == Some("syscall"),
            None => false,
        };
        // A stub hands on what it is given; what ends in a jump calls by it.
        let calls = !self.stubs.contains_key(&function)
            && matches!(
                instruction.flow_control(),
                FlowControl::Call
                    | FlowControl::IndirectCall
                    | FlowControl::UnconditionalBranch
                    | FlowControl::IndirectBranch
            );
        if wrapper && calls {
            // It is this number, not any that the wrapper may be given.
            match known.get(Register::EDI) {
                Some(number) => {
                    self.function(function).numbers.insert(number);
                }
                None => self.function(function).unknown += 1,
            }
            to = None;
        }
        if instruction.mnemonic() == Mnemonic::Syscall {
            // The wrapper itself has no number of its own.
            let is_wrapper = self.plain(function) == Some("syscall");
            match known.get(Register::EAX) {
                Some(number) => {
                    self.function(function).numbers.insert(number);
                }
                None if is_wrapper => {}
                None => self.function(function).unknown += 1,
            }
        }
        let entry = self.function(function);
        entry.to.extend(to);
    }

    fn plain(&self, address: u64) -> Option<&str> {
        let name = self.file.names.get(&address);
        name.or(self.stubs.get(&address)).map(String::as_str)
    }
}

/// How often a function is walked through before nothing is taken for known.
const MAX_ROUNDS: usize = 16;

/// Whether what comes after an instruction may be run after it.
fn goes_on(instruction: &Instruction) -> bool {
    let ends = matches!(
        instruction.flow_control(),
        FlowControl::UnconditionalBranch
            | FlowControl::IndirectBranch
            | FlowControl::Return
            | FlowControl::Exception
    );
    let fills = matches!(instruction.mnemonic(), Mnemonic::Hlt | Mnemonic::Int3);
    !ends && !fills
}

/// Where a branch or a call goes that says so itself.
fn branch(instruction: &Instruction) -> Option<u64> {
    match instruction.op0_kind() {
        OpKind::NearBranch64 => Some(instruction.near_branch64()),
        _ => None,
    }
}

/// The address that `lea` takes, relative to where it stands, or that a number is.
fn address_taken(instruction: &Instruction) -> Option<u64> {
    if instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand() {
        return Some(instruction.ip_rel_memory_address());
    }
    match instruction.code() {
        Code::Mov_r32_imm32 => Some(u64::from(instruction.immediate32())),
        Code::Mov_rm64_imm32 => Some(instruction.immediate32to64() as u64),
        _ => None,
    }
}

/// The registers whose values are known, by their full name.
#[derive(Clone, Default, PartialEq, Eq)]
struct Known(BTreeMap<Register, u32>);

impl Known {
    fn get(&self, register: Register) -> Option<u32> {
        self.0.get(&register.full_register()).copied()
    }

    /// Keeps what both know.
    fn meet(&mut self, other: &Self) {
        self.0
            .retain(|register, value| other.0.get(register) == Some(value));
    }

    /// Follows an instruction: what is set to a number, or copied.
    fn see(&mut self, instruction: &Instruction) {
        let flow = instruction.flow_control();
        match flow {
            FlowControl::Next | FlowControl::ConditionalBranch => {}
            // A call keeps what its callee must, and nothing else is sure.
            FlowControl::Call | FlowControl::IndirectCall => {
                let kept = [
                    Register::RBX,
                    Register::RBP,
                    Register::R12,
                    Register::R13,
                    Register::R14,
                    Register::R15,
                ];
                // `syscall` is a call as well, and keeps all but three.
                if instruction.mnemonic() == Mnemonic::Syscall {
                    self.0.remove(&Register::RAX);
                } else {
                    self.0.retain(|register, _| kept.contains(register));
                }
                return;
            }
            _ => return,
        }
        if instruction.op_count() == 0 || instruction.op0_kind() != OpKind::Register {
            return;
        }
        let to = instruction.op0_register();
        if !to.is_gpr() {
            return;
        }
        let value = match (instruction.mnemonic(), instruction.op_count()) {
            _ if to.size() < 4 => None,
            (Mnemonic::Mov, 2) => match instruction.op1_kind() {
                OpKind::Immediate32 => Some(instruction.immediate32()),
                OpKind::Immediate32to64 => Some(instruction.immediate32()),
                OpKind::Register => self.get(instruction.op1_register()),
                _ => None,
            },
            (Mnemonic::Xor, 2) if instruction.op1_kind() == OpKind::Register => {
                (instruction.op1_register() == to).then_some(0)
            }
            (Mnemonic::Or, 2) if instruction.immediate_is_ones() => Some(u32::MAX),
            (Mnemonic::Lea, 2)
                if instruction.memory_base() != Register::None
                    && instruction.memory_index() == Register::None
                    && !instruction.is_ip_rel_memory_operand() =>
            {
                let base = self.get(instruction.memory_base());
                base.map(|base| base.wrapping_add(instruction.memory_displacement32()))
            }
            // These only look.
            (Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push | Mnemonic::Bt, _) => return,
            _ => None,
        };
        match value {
            Some(value) => {
                self.0.insert(to.full_register(), value);
            }
            None => {
                self.0.remove(&to.full_register());
            }
        }
    }
}

trait Ones {
    fn immediate_is_ones(&self) -> bool;
}

impl Ones for Instruction {
    fn immediate_is_ones(&self) -> bool {
        matches!(
            self.op1_kind(),
            OpKind::Immediate8to32 | OpKind::Immediate8to64
        ) && self.immediate8() == 0xff
    }
}
