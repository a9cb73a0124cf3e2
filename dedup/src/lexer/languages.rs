//! How the tokens of languages look: a family is a row of signs and keywords, a language one word in a family's list.

/// How the tokens of a family of languages look.
#[derive(Debug)]
pub struct Family {
    /// What begins a comment that goes to the end of its line.
    pub(super) line: &'static [&'static str],
    /// What begins and ends a comment of any length.
    pub(super) block: &'static [(&'static str, &'static str)],
    /// Whether such comments nest.
    pub(super) nests: bool,
    /// Texts; where one sign begins another, the longer comes first.
    pub(super) quotes: &'static [Quote],
    /// Letters that may stand right before a text and belong to it.
    pub(super) prefixes: &'static str,
    /// Bytes of words beside ASCII letters, digits, `_` and everything beyond ASCII.
    pub(super) word: &'static str,
    /// Words that no program can give another meaning, with blanks between them.
    pub(super) keywords: &'static str,
    /// Whether keywords are the same in capitals.
    pub(super) folds_case: bool,
    /// Whether `/` begins a regular expression where no operand is before it.
    pub(super) expressions: bool,
}

/// A kind of text: characters between signs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quote {
    /// What it begins with.
    pub(super) open: &'static str,
    /// What it ends with.
    pub(super) close: &'static str,
    /// Whether a backslash takes the next byte's meaning away.
    pub(super) escapes: bool,
    /// How far it goes.
    pub(super) reach: Reach,
}

/// How far a text may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// One character, as C writes it; else the sign is a mark, as in `'static`.
    Character,
    /// To the end of the line.
    Line,
    /// Anywhere.
    Text,
    /// Anywhere; where it stands alone, it is documentation.
    Documentation,
    /// Anywhere; its end repeats what is between the opening sign and the `(` after it.
    Delimited,
    /// Anywhere; its end repeats the `#` that are before its opening quote.
    Hashed,
}

const fn quote(open: &'static str, close: &'static str, reach: Reach) -> Quote {
    Quote {
        open,
        close,
        escapes: true,
        reach,
    }
}

const fn plain(open: &'static str, close: &'static str, reach: Reach) -> Quote {
    Quote {
        escapes: false,
        ..quote(open, close, reach)
    }
}

const DOUBLE: Quote = quote("\"", "\"", Reach::Line);
const SINGLE: Quote = quote("'", "'", Reach::Line);
const CHARACTER: Quote = quote("'", "'", Reach::Character);
const LONG_DOUBLE: Quote = quote("\"", "\"", Reach::Text);
const PLAIN_SINGLE: Quote = plain("'", "'", Reach::Text);
const TRIPLE: Quote = quote("\"\"\"", "\"\"\"", Reach::Text);

const NONE: Family = Family {
    line: &[],
    block: &[],
    nests: false,
    quotes: &[DOUBLE],
    prefixes: "",
    word: "",
    keywords: "",
    folds_case: false,
    expressions: false,
};

const C: Family = Family {
    line: &["//"],
    block: &[("/*", "*/")],
    quotes: &[quote("R\"", "\"", Reach::Delimited), DOUBLE, CHARACTER],
    prefixes: "LuU8",
    keywords: "alignas alignof asm auto bool break case catch char class const constexpr continue decltype default \
               define defined delete do double elif else endif enum explicit export extern false float for friend \
               goto if ifdef ifndef include inline int long mutable namespace new noexcept nullptr operator pragma \
               private protected public register return short signed sizeof static static_cast struct switch \
               template this throw true try typedef typename undef union unsigned using virtual void volatile while",
    ..NONE
};

const JVM: Family = Family {
    quotes: &[
        TRIPLE,
        plain("@\"", "\"", Reach::Text),
        plain("$@\"", "\"", Reach::Text),
        DOUBLE,
        CHARACTER,
    ],
    prefixes: "fsr",
    word: "$",
    keywords: "abstract as assert bool boolean break byte case catch char class constructor continue decimal def \
               default do double else enum extends extern false final finally float for foreach fun if implements \
               implicit import in inline instanceof int interface is long namespace native new null override \
               package private protected public readonly ref return sbyte sealed short sizeof static string struct \
               super switch synchronized this throw throws trait true try typealias typeof uint ulong unsafe ushort \
               using vararg virtual void when where while with val var",
    ..C
};

const SWIFT: Family = Family {
    nests: true,
    quotes: &[TRIPLE, plain("#\"", "\"#", Reach::Text), DOUBLE],
    keywords: "as associatedtype async await break case catch class continue default defer deinit do else enum \
               extension fallthrough false fileprivate for func guard if import in inout internal is let nil \
               override private protocol public repeat rethrows return self static struct subscript super switch \
               throw throws true try typealias var where while",
    prefixes: "",
    ..C
};

const DART: Family = Family {
    quotes: &[TRIPLE, quote("'''", "'''", Reach::Text), DOUBLE, SINGLE],
    prefixes: "r",
    ..JVM
};

const ECMA: Family = Family {
    quotes: &[DOUBLE, SINGLE, quote("`", "`", Reach::Text)],
    prefixes: "",
    word: "$",
    keywords: "await break case catch class const continue debugger default delete do else enum export extends \
               false finally for function if implements import in instanceof interface let new null private \
               protected public readonly return static super switch this throw true try typeof var void while with \
               yield",
    expressions: true,
    ..C
};

const GO: Family = Family {
    quotes: &[DOUBLE, CHARACTER, plain("`", "`", Reach::Text)],
    prefixes: "",
    keywords: "break byte case chan const continue default defer else fallthrough for func go goto if import \
               interface map package range return select struct switch type var",
    ..C
};

const RUST: Family = Family {
    nests: true,
    quotes: &[
        plain("r\"", "\"", Reach::Text),
        plain("br\"", "\"", Reach::Text),
        plain("r#", "\"", Reach::Hashed),
        plain("br#", "\"", Reach::Hashed),
        LONG_DOUBLE,
        CHARACTER,
    ],
    prefixes: "bc",
    keywords: "Self as async await bool break char const continue crate dyn else enum extern f32 f64 false fn for \
               i16 i32 i64 i8 if impl in isize let loop match mod move mut pub ref return self static str struct \
               super trait true type u16 u32 u64 u8 unsafe use usize where while yield",
    ..C
};

const ZIG: Family = Family {
    block: &[],
    quotes: &[plain("\\\\", "\n", Reach::Line), DOUBLE, CHARACTER],
    ..RUST
};

const PHP: Family = Family {
    line: &["//", "#"],
    quotes: &[LONG_DOUBLE, quote("'", "'", Reach::Text)],
    prefixes: "",
    word: "$",
    keywords: "abstract array as break callable case catch class clone const continue declare default do echo else \
               elseif empty enddeclare endfor endforeach endif endswitch endwhile extends false final finally fn \
               for foreach function global goto if implements include include_once instanceof insteadof interface \
               isset namespace new null private protected public require require_once return static switch this \
               throw trait true try unset use var void while yield",
    folds_case: true,
    ..C
};

const PYTHON: Family = Family {
    line: &["#"],
    quotes: &[
        quote("\"\"\"", "\"\"\"", Reach::Documentation),
        quote("'''", "'''", Reach::Documentation),
        DOUBLE,
        SINGLE,
    ],
    prefixes: "rbfuRBFU",
    keywords: "False None True and as assert async await break class continue def del elif else except finally for \
               from global if import in is lambda load nonlocal not or pass raise return self try while with yield \
               cdef cpdef",
    ..NONE
};

const RUBY: Family = Family {
    line: &["#"],
    block: &[("\n=begin", "\n=end")],
    quotes: &[LONG_DOUBLE, quote("'", "'", Reach::Text)],
    word: "@$?!",
    keywords: "alias and begin break case class def defined? defmodule defp do else elsif end ensure false fn for \
               if import in module next nil not or proc redo rescue retry return self super then true undef unless \
               until when while yield",
    ..NONE
};

const SHELL: Family = Family {
    line: &["#"],
    quotes: &[LONG_DOUBLE, PLAIN_SINGLE],
    keywords: "break case catch continue do done echo elif else elseif elsif endfunction endif esac exit export fi \
               finally for foreach func function global if in include local my return set shift then trap try \
               unless until var while",
    ..NONE
};

const PERL: Family = Family {
    quotes: &[LONG_DOUBLE, quote("'", "'", Reach::Text)],
    block: &[("\n=pod", "\n=cut"), ("\n=head", "\n=cut")],
    word: "$@%",
    ..SHELL
};

const POWERSHELL: Family = Family {
    block: &[("<#", "#>")],
    quotes: &[plain("\"", "\"", Reach::Text), PLAIN_SINGLE],
    word: "$-",
    folds_case: true,
    ..SHELL
};

const NUMERIC: Family = Family {
    line: &["#"],
    block: &[("#=", "=#")],
    quotes: &[TRIPLE, LONG_DOUBLE, CHARACTER],
    keywords: "FALSE NA NULL TRUE abstract baremodule begin break catch const continue do else elseif end export false finally \
               for function global if import in let library local macro module mutable new next nothing quote repeat return \
               struct true try type using where while",
    ..NONE
};

const R: Family = Family {
    block: &[],
    quotes: &[LONG_DOUBLE, quote("'", "'", Reach::Text)],
    word: ".",
    ..NUMERIC
};

const MATLAB: Family = Family {
    line: &["%"],
    block: &[("%{\n", "%}\n")],
    quotes: &[DOUBLE],
    ..NUMERIC
};

const SQL: Family = Family {
    line: &["--"],
    block: &[("/*", "*/")],
    quotes: &[
        plain("'", "'", Reach::Text),
        plain("\"", "\"", Reach::Text),
        plain("`", "`", Reach::Text),
    ],
    keywords: "add all alter and as asc begin between bigint by case check column commit constraint create cross cursor database \
               declare default delete desc distinct drop else end exec execute exists fetch for foreign from full function \
               grant group having if in index inner insert int integer into is join key left like limit loop not null \
               numeric on open or order outer over partition primary procedure references replace return returns right select \
               set table text then timestamp to top trigger union unique update use using values varchar view when where \
               while with",
    folds_case: true,
    ..NONE
};

const LUA: Family = Family {
    line: &["--"],
    block: &[("--[[", "]]"), ("--[=[", "]=]")],
    quotes: &[plain("[[", "]]", Reach::Text), DOUBLE, SINGLE],
    keywords: "and break continue do else elseif end false for function goto if in local nil not or repeat return self then true \
               until while",
    ..NONE
};

const HASKELL: Family = Family {
    line: &["--"],
    block: &[("{-", "-}")],
    nests: true,
    quotes: &[TRIPLE, DOUBLE, CHARACTER],
    word: "'",
    keywords: "as case class data default deriving do else exposing family forall foreign hiding if import in infix infixl infixr \
               instance let module newtype of otherwise port qualified then type where",
    ..NONE
};

const LISP: Family = Family {
    line: &[";"],
    block: &[("#|", "|#")],
    nests: true,
    quotes: &[LONG_DOUBLE],
    word: "-+*/?!<>=.:&%$",
    keywords: "and begin case cond def defclass define defmacro defmethod defn defun defvar do else fn for if import lambda let \
               let* letrec loop module nil not ns or progn provide quote recur require set! setf setq t unless when while",
    ..NONE
};

const ML: Family = Family {
    line: &[],
    block: &[("(*", "*)")],
    nests: true,
    quotes: &[LONG_DOUBLE, CHARACTER],
    word: "'",
    keywords: "and as assert begin class constraint do done downto else end exception external false for fun function functor if \
               in include inherit initializer lazy let match member method module mutable namespace new object of open or \
               private rec sig struct then to true try type use val virtual when while with yield",
    ..NONE
};

const PASCAL: Family = Family {
    line: &["//"],
    block: &[("{", "}"), ("(*", "*)")],
    quotes: &[plain("'", "'", Reach::Line)],
    keywords: "abs abstract access all and array at begin body boolean case class const constant constructor declare delay destructor \
               div do downto else elsif end entity entry exception exit false file finally for function generic goto if \
               implementation in inherited integer interface is label library limited loop map mod new nil not null object of on \
               or others out override package port private procedure process program property protected public raise record \
               renames repeat return reverse select separate set signal string subtype then to true try type unit until use \
               uses var variable virtual when while with xor",
    folds_case: true,
    ..NONE
};

const ADA: Family = Family {
    line: &["--"],
    block: &[],
    quotes: &[plain("\"", "\"", Reach::Line), CHARACTER],
    ..PASCAL
};

const FORTRAN: Family = Family {
    line: &["!"],
    quotes: &[plain("\"", "\"", Reach::Line), plain("'", "'", Reach::Line)],
    keywords: "allocatable allocate call case character complex contains cycle data deallocate dimension do double else elseif end \
               enddo endif exit external false function goto if implicit in include inout integer intent interface intrinsic \
               logical module none only optional out parameter pointer precision print private procedure program public pure \
               read real recursive result return save select stop subroutine target then true type use where while write",
    folds_case: true,
    ..NONE
};

const BASIC: Family = Family {
    line: &["'"],
    quotes: &[plain("\"", "\"", Reach::Line)],
    keywords: "and as boolean byref byval call case catch class const date dim do double each else elseif end enum error exit \
               explicit false finally for friend function get goto handles if implements imports in inherits integer interface is \
               let long loop me mod module mustinherit namespace new next not nothing object of on option or overrides private \
               property protected public readonly redim resume return select set shared single step string structure sub then \
               throw to true try until variant when while with xor",
    folds_case: true,
    ..NONE
};

const ERLANG: Family = Family {
    line: &["%"],
    quotes: &[LONG_DOUBLE, quote("'", "'", Reach::Line)],
    keywords: "after and andalso begin bnot bor bsl bsr bxor case catch cond define div end export fun if import include let maybe \
               module not of or orelse receive record rem spec true try type undefined when xor",
    ..NONE
};

const VERILOG: Family = Family {
    quotes: &[DOUBLE],
    word: "$",
    keywords: "always always_comb always_ff and assign automatic begin bit buf case casex casez class const default defparam disable \
               edge else end endcase endclass endfunction endgenerate endinterface endmodule endpackage endtask enum for \
               forever function generate genvar if import initial inout input integer interface localparam logic module \
               negedge not or output package parameter posedge real reg repeat return signed static string struct task time \
               typedef union unsigned void wait while wire xor",
    ..C
};

/// Languages that nobody has described.
pub(super) static DEFAULT: &Family = &Family {
    line: &["//", "#"],
    ..C
};

/// Which languages have which family, by Linguist's names.
pub(super) static LANGUAGES: &[(Family, &[&str])] = &[
    (
        C,
        &[
            "C",
            "C++",
            "Cuda",
            "GLSL",
            "HLSL",
            "Metal",
            "Objective-C",
            "Objective-C++",
            "OpenCL",
            "Protocol Buffer",
            "Thrift",
        ],
    ),
    (
        JVM,
        &[
            "Apex",
            "C#",
            "D",
            "Gradle",
            "Gradle Kotlin DSL",
            "Groovy",
            "Haxe",
            "Java",
            "Kotlin",
            "Processing",
            "Scala",
            "Solidity",
            "Vala",
        ],
    ),
    (SWIFT, &["Swift"]),
    (DART, &["Dart"]),
    (ECMA, &["ActionScript", "JSX", "JavaScript", "TSX", "TypeScript"]),
    (GO, &["Go"]),
    (RUST, &["Gleam", "Rust"]),
    (ZIG, &["Zig"]),
    (PHP, &["Hack", "PHP"]),
    (PYTHON, &["Cython", "GDScript", "Python", "Starlark"]),
    (RUBY, &["Crystal", "Elixir", "Ruby"]),
    (SHELL, &["Awk", "CMake", "Nix", "Shell", "Tcl", "fish"]),
    (PERL, &["Perl", "Raku"]),
    (POWERSHELL, &["PowerShell"]),
    (NUMERIC, &["Julia"]),
    (R, &["R"]),
    (MATLAB, &["MATLAB"]),
    (SQL, &["PLSQL", "PLpgSQL", "SQL", "TSQL"]),
    (LUA, &["Lua", "Luau"]),
    (HASKELL, &["Elm", "Haskell", "PureScript"]),
    (LISP, &["Clojure", "Common Lisp", "Emacs Lisp", "Racket", "Scheme"]),
    (ML, &["F#", "OCaml", "Standard ML"]),
    (PASCAL, &["Pascal"]),
    (ADA, &["Ada", "VHDL"]),
    (FORTRAN, &["Fortran", "Fortran Free Form"]),
    (BASIC, &["VBA", "Visual Basic .NET"]),
    (ERLANG, &["Erlang"]),
    (VERILOG, &["SystemVerilog", "Verilog"]),
];
