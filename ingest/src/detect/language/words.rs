//! Tables: words that belong to one of several languages with the same extension, and languages by popularity.
//!
//! Only languages that share an extension are listed. Patterns look at lines (`^`, `$`) and see ASCII classes.

/// Weight of one occurrence, and a pattern.
pub(crate) type Hint = (u32, &'static str);

/// Languages by how many files of them public repositories hold, most first; decides where words do not.
/// Source: judgement from public language statistics of large code corpora.
pub(crate) const POPULAR: &[&str] = &[
    "JavaScript",
    "HTML",
    "XML",
    "Markdown",
    "JSON",
    "C",
    "Java",
    "Python",
    "PHP",
    "C++",
    "TypeScript",
    "C#",
    "YAML",
    "Go",
    "Ruby",
    "Rust",
    "TSX",
    "Shell",
    "SQL",
    "Text",
    "Kotlin",
    "Swift",
    "Scala",
    "Objective-C",
    "Makefile",
    "Assembly",
    "Unix Assembly",
    "Perl",
    "MATLAB",
    "R",
    "TeX",
    "INI",
    "Lua",
    "Haskell",
    "Dart",
    "GLSL",
    "OCaml",
    "Elixir",
    "Erlang",
    "Clojure",
    "Fortran",
    "F#",
    "Verilog",
    "Pascal",
    "Scheme",
    "Common Lisp",
    "Roff Manpage",
    "Roff",
    "Objective-C++",
    "ActionScript",
    "CoffeeScript",
    "D",
    "Prolog",
    "PLSQL",
    "TSQL",
    "PLpgSQL",
    "VBA",
    "Apex",
    "Visual Basic 6.0",
    "HCL",
    "Lex",
    "Yacc",
    "Gnuplot",
    "Java Properties",
    "XML Property List",
    "ApacheConf",
    "Nginx",
    "Puppet",
    "Smarty",
    "Smalltalk",
    "QMake",
    "GDScript",
    "Modelica",
    "Wolfram Language",
    "Forth",
    "Eiffel",
    "OpenCL",
    "HLSL",
    "ShaderLab",
    "BitBake",
    "Solidity",
    "Eagle",
    "JSON with Comments",
    "Protocol Buffer Text Format",
    "M4Sugar",
    "M4",
    "Salt",
    "Rocq Prover",
    "V",
    "Brainfuck",
    "xBase",
    "FreeMarker",
    "Game Maker Language",
    "RPM Spec",
    "jq",
    "CUE",
    "SourcePawn",
    "Starlark",
    "Linker Script",
    "LiveScript",
    "MAXScript",
    "UnrealScript",
    "Scilab",
    "SIP",
    "Slice",
];

/// Hints by language.
pub(crate) const WORDS: &[(&str, &[Hint])] = &[
    // Markup and data that share extensions with programs.
    ("XML", &[(12, r"\A\s*<(?:\?xml|!DOCTYPE|!--|[A-Za-z])"), (1, r"</\w+>")]),
    (
        "HTML",
        &[
            (6, r"(?i)<(?:html|body|div|head|table|p|ul|span|script|br)\b"),
            (1, r"</\w+>"),
        ],
    ),
    ("JSON", &[(4, r"\A\s*[{\[]"), (1, r#"^\s*"[^"]+"\s*:"#)]),
    ("INI", &[(3, r"^\s*\[[^\]\r\n]+\]\s*$"), (1, r"^[\w.\- ]+\s*=")]),
    ("Eagle", &[(20, r"<!DOCTYPE eagle|<eagle\b")]),
    ("KiCad Legacy Layout", &[(20, r"PCBNEW-BOARD|^\$EndGENERAL")]),
    ("KiCad Schematic", &[(20, r"\AEESchema|\A\(kicad_sch")]),
    ("Text", &[]),
    (
        "Salt",
        &[
            (
                3,
                r"\b(?:pkg|file|service|cmd|user|git)\.(?:installed|managed|running|run|present|latest)\b",
            ),
            (2, r"\{[%{#]"),
            (1, r"^\s+- \w"),
            (1, r"^[\w.\-/]+:\s*$"),
        ],
    ),
    (
        "Protocol Buffer Text Format",
        &[(1, r"^\s*\w+:\s*\S"), (2, r"^\s*\w+:?\s*\{\s*$")],
    ),
    (
        "Debian Package Control File",
        &[(
            4,
            r"^(?:Format|Source|Binary|Maintainer|Architecture|Version|Build-Depends|Standards-Version|Checksums-\w+|Files|Package-List|Uploaders|Homepage):",
        )],
    ),
    (
        "DenizenScript",
        &[
            (
                5,
                r"^\s+type:\s*(?:task|world|item|command|assignment|interact|format|procedure|inventory|book|entity|data|economy)\b",
            ),
            (
                2,
                r"^\s+- (?:narrate|define|if|foreach|run|inject|flag|determine|give|playsound)\b",
            ),
        ],
    ),
    ("Java Properties", &[(1, r"^[\w.\-]+\s*[=:]")]),
    ("XML Property List", &[(12, r"<plist|<!DOCTYPE plist")]),
    (
        "Cue Sheet",
        &[(
            3,
            r"^\s*(?:FILE .* (?:WAVE|MP3|BINARY|AIFF)|TRACK \d+ \w+|INDEX \d\d \d\d:|PERFORMER |REM )",
        )],
    ),
    (
        "CUE",
        &[
            (3, r"^package \w+"),
            (2, r"^import \("),
            (1, r"^\s*[#\w\-]+\??:\s*(?:\{|string|int|bool|\[|\d|#)"),
            (2, r"\bclose\(|=~|\.\.\.$"),
        ],
    ),
    (
        "HAProxy",
        &[
            (4, r"^(?:global|defaults|frontend|backend|listen)\b(?:\s+\S+)?\s*$"),
            (
                2,
                r"^\s+(?:bind|server|balance|mode (?:http|tcp)|acl|option|timeout|default_backend|use_backend|maxconn|log)\s",
            ),
        ],
    ),
    (
        "ApacheConf",
        &[
            (4, r"(?i)^\s*</?(?:VirtualHost|Directory|Location|IfModule|Files)\b"),
            (
                2,
                r"^\s*(?:ServerName|ServerAlias|DocumentRoot|ErrorLog|CustomLog|RewriteRule|ProxyPass)\b",
            ),
        ],
    ),
    (
        "Nginx",
        &[
            (4, r"^\s*(?:server|location\s[^{]+|upstream \w+|http)\s*\{"),
            (
                2,
                r"^\s*(?:listen|server_name|root|index|proxy_pass|fastcgi_pass|access_log|try_files)\s[^;]*;",
            ),
        ],
    ),
    (
        "HCL",
        &[
            (4, r#"^(?:workflow|action|resource|variable|module|provider)\s+""#),
            (1, r"^\s+\w+\s*=\s"),
        ],
    ),
    (
        "Kickstart",
        &[
            (4, r"^%(?:packages|post|pre|end|include|addon)\b"),
            (
                2,
                r"^(?:install|lang|keyboard|rootpw|bootloader|part|partition|timezone|network|url|clearpart|autopart|zerombr|reboot|selinux|firewall|authconfig|auth|repo|xconfig|skipx|cdrom|text|user)\b",
            ),
        ],
    ),
    ("TSV", &[(1, r"^[^\t\n]+\t[^\t\n]+")]),
    (
        "Formatted",
        &[(1, r"^\s*-?[\d.]+(?:[eE][+-]?\d+)?(?:\s+-?[\d.]+(?:[eE][+-]?\d+)?)+\s*$")],
    ),
    (
        "SRecode Template",
        &[
            (4, r"^(?:template|context|set|sectiondictionary|prompt|bind|show) "),
            (1, r"^-{3,}$"),
            (2, r"\{\{[^}]+\}\}"),
        ],
    ),
    ("SubRip Text", &[(3, r"^\d\d:\d\d:\d\d,\d{3} -->")]),
    ("X PixMap", &[(12, r"/\* XPM \*/|static char ?\* ?\w+\[\]")]),
    ("Pod", &[(3, r"^=(?:head\d|over|item|cut|back|pod|encoding)\b")]),
    ("Pod 6", &[(5, r"^=(?:begin|end|for|NAME|TITLE|table|config)\b")]),
    (
        "OpenStep Property List",
        &[(4, r"\A\s*(?://.*\n\s*)*\{"), (1, r"^\s*\w+\s*=.*;\s*$")],
    ),
    ("World of Warcraft Addon Data", &[(4, r"^## \w")]),
    ("Roff", &[(2, r"^\.(?:[A-Z]{1,2}|\\\x22|ds|de|nr|so|if|ft|sp|br)\b")]),
    ("Roff Manpage", &[(4, r"^\.(?:TH|SH|Dd|Sh) ")]),
    // SQL and its procedural dialects.
    (
        "SQL",
        &[
            (5, r"\A"),
            (5, r"(?i)\bENGINE\s*=\s*(?:InnoDB|MyISAM|MEMORY)"),
            (3, r"(?i)\bAUTO_INCREMENT\b"),
            (1, r"`\w+`"),
            (5, r"(?i)^\s*DELIMITER\s"),
            (8, r"(?i)^-- (?:MySQL dump|phpMyAdmin|SQLite|MariaDB dump)"),
            (3, r"(?i)\bAUTOINCREMENT\b|^\s*PRAGMA\s"),
        ],
    ),
    (
        "PLSQL",
        &[
            (3, r"(?i)\bVARCHAR2\b"),
            (
                6,
                r"(?i)\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:EDITIONABLE\s+)?(?:PACKAGE|TYPE)\s+(?:BODY\s+)?[\w.\x22]+\s+(?:AUTHID\s+\w+\s+)?(?:IS|AS|UNDER|FORCE)\b",
            ),
            (
                4,
                r"(?i)\bCREATE\s+OR\s+REPLACE\s+(?:NONEDITIONABLE\s+)?(?:PACKAGE|TYPE)\b",
            ),
            (4, r"(?i)\b(?:DBMS|UTL|APEX|HTP|OWA)_?\w*\.\w+"),
            (3, r"^\s*/\s*$"),
            (2, r"(?i)%(?:ROW)?TYPE\b"),
            (
                4,
                r"(?i)\b(?:PLS_INTEGER|BINARY_INTEGER|SYS_REFCURSOR|RAISE_APPLICATION_ERROR|SQLERRM|SYSTIMESTAMP)\b",
            ),
            (
                4,
                r"(?i)^\s*(?:PROMPT\b|WHENEVER\s+(?:SQL|OS)ERROR|SPOOL\s|SET\s+(?:SERVEROUTPUT|DEFINE|ECHO|FEEDBACK|VERIFY|HEADING|LINESIZE|PAGESIZE|TERMOUT|TRIMSPOOL|SQLBLANKLINES|SCAN)\b|@@?[\w./&]+|DEFINE\s+\w+\s*=|COLUMN\s+\w+\s+(?:NEW_VALUE|FORMAT))",
            ),
            (3, r"(?i)\bSYSDATE\b|\bFROM\s+DUAL\b|\bNVL2?\s*\("),
            (2, r"(?i)\bEXECUTE\s+IMMEDIATE\b|\bBULK\s+COLLECT\b|\bFORALL\b"),
            (2, r"(?i)\bEND\s+(?:IF|LOOP|CASE)\s*;"),
            (1, r":="),
            (2, r"(?i)^\s*(?:PROCEDURE|FUNCTION|CURSOR|PRAGMA)\s+\w+"),
            (2, r"(?i)\bNUMBER\b\s*(?:\(|,|;|:=|NOT|$)"),
            (
                3,
                r"(?i)\bGRANT\s+(?:EXECUTE|CREATE)\b|\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:PUBLIC\s+)?SYNONYM\b",
            ),
            (
                3,
                r"(?i)\b(?:NESTED TABLE|TABLE OF|VARRAY|CONNECT BY|ROWNUM|USER_\w+S\b|ALL_(?:OBJECTS|TABLES|SOURCE)|V\$\w+)",
            ),
        ],
    ),
    (
        "PLpgSQL",
        &[
            (8, r"(?i)\bLANGUAGE\s+'?plpgsql\b"),
            (4, r"(?i)\bAS\s+\$\w*\$|^\s*DO\s+\$\w*\$|\$\w*\$\s*(?:LANGUAGE|;)"),
            (3, r"(?i)\bRETURNS\s+(?:TRIGGER|VOID|SETOF|TABLE|text|boolean)\b"),
            (3, r"(?i)\bRAISE\s+(?:NOTICE|EXCEPTION|WARNING|DEBUG)\s+'"),
            (3, r"(?i)\bRETURN\s+(?:QUERY|NEW|OLD|NEXT)\b"),
            (4, r"^\\(?:i|ir|set|echo|c|connect|unset|pset|if|gset)\b"),
            (1, r"\w::\w+"),
            (3, r"(?i)^\s*PERFORM\s"),
            (
                3,
                r"(?i)\bCREATE\s+EXTENSION\b|\bSET\s+(?:LOCAL\s+)?(?:search_path|client_min_messages|standard_conforming_strings)\b",
            ),
            (2, r"\bpg_\w+"),
            (
                3,
                r"(?i)^\s*SELECT\s+(?:plan|ok|is|isnt|has_\w+|hasnt_\w+|lives_ok|throws_ok|results_eq|is_empty|finish|no_plan)\s*\(",
            ),
            (1, r"(?i)\bELSIF\b|\bEND\s+(?:IF|LOOP)\s*;"),
            (
                2,
                r"(?i)\b(?:BIG)?SERIAL\b|\bTIMESTAMPTZ\b|\bJSONB\b|\bREGCLASS\b|\bON\s+CONFLICT\b",
            ),
            (3, r"(?i)^\s*BEGIN\s*;"),
        ],
    ),
    (
        "TSQL",
        &[
            (6, r"(?i)^\s*GO\s*;?\s*$"),
            (5, r"(?i)\bDECLARE\s+@\w+"),
            (3, r"(?i)\[dbo\]|\bdbo\.\w"),
            (2, r"@@\w+"),
            (
                2,
                r"(?i)\bN(?:VARCHAR|CHAR|TEXT)\b|\bUNIQUEIDENTIFIER\b|\bDATETIME2\b|\bSYSNAME\b",
            ),
            (
                5,
                r"(?i)\bSET\s+(?:NOCOUNT|ANSI_NULLS|QUOTED_IDENTIFIER|XACT_ABORT|ANSI_PADDING|IDENTITY_INSERT|STATISTICS)\b",
            ),
            (2, r"(?i)\bPRINT\s*\(?\s*N?'"),
            (4, r"(?i)\bRAISERROR\b|\bsp_executesql\b|\bOBJECT_ID\s*\("),
            (4, r"(?i)\bBEGIN\s+(?:TRY|CATCH|TRAN(?:SACTION)?)\b"),
            (
                2,
                r"(?i)\bIDENTITY\s*\(\s*\d|\bNONCLUSTERED\b|\bWITH\s*\(\s*NOLOCK\b|\bNOLOCK\b|\bGETDATE\s*\(|\bISNULL\s*\(|\bSELECT\s+TOP\b|\bCROSS\s+APPLY\b",
            ),
            (1, r"\[\w+\]\.\[\w+\]|\[\w+\]"),
            (1, r"=\s*N'|\(N'"),
            (
                3,
                r"(?i)\bCREATE\s+(?:OR\s+ALTER\s+)?PROC(?:EDURE)?\s+[\w.\[\]]+\s*(?:\(\s*)?@",
            ),
            (
                3,
                r"(?i)\bsys\.(?:objects|tables|columns|indexes|databases|dm_\w+|schemas|all_objects)\b|\bmaster\.|\btempdb\b|\bsp_\w+|\bxp_\w+",
            ),
        ],
    ),
    (
        "SQLPL",
        &[
            (6, r"(?i)\bMODE\s+DB2SQL\b|--#SET\s+TERMINATOR|\bALTER\s+MODULE\b"),
            (4, r"(?i)\bSYS(?:CAT|IBM|PROC)\.|\bSYSIBMADM\b"),
            (4, r"(?i)\bBEGIN\s+ATOMIC\b|\bNOT\s+ATOMIC\b"),
            (3, r"(?i)^\s*END!|^\s*@\s*$|\bEND\s*@\s*$|\bEND\s*!\s*$"),
            (
                3,
                r"(?i)\bCALL\s+SYSPROC\.|\bASSOCIATE\s+RESULT\s+SET\b|\bWITH\s+UR\b|\bDYNAMIC\s+RESULT\s+SETS\b|\bSPECIFIC\s+\w+",
            ),
            (2, r"(?i)\bLANGUAGE\s+SQL\b|\bSIGNAL\s+SQLSTATE\b|\bCONNECT\s+TO\s+\w+"),
        ],
    ),
    (
        "HiveQL",
        &[
            (
                3,
                r"(?i)\b(?:INSERT\s+OVERWRITE|STORED\s+AS|ROW\s+FORMAT|LATERAL\s+VIEW|PARTITIONED\s+BY|set\s+hive\.)",
            ),
            (1, r"(?i)\b(?:SELECT|CREATE\s+TABLE|FROM)\b"),
        ],
    ),
    ("q", &[(2, r"^\\[a-z]\b|`\w+|\.z\.|^/ "), (1, r"\w:\{|\w+::?\(")]),
    // C and its kin.
    (
        "C",
        &[
            (1, r"^\s*#\s*(?:include|define|ifn?def|endif)\b"),
            (2, r"^\s*typedef\s+(?:struct|enum|union)\b"),
        ],
    ),
    (
        "C++",
        &[
            (
                3,
                r"^\s*(?:inline\s+)?namespace(?:\s+[\w:]+)?\s*\{|\busing\s+namespace\b",
            ),
            (
                3,
                r"\btemplate\s*<|\bstd::\w+|\b(?:static|reinterpret|const|dynamic)_cast<",
            ),
            (2, r"\w::\w"),
            (2, r"^\s*#\s*(?:include|define|if|ifn?def|endif|undef|pragma)\b"),
            (
                2,
                r"\b(?:nullptr|constexpr|noexcept|virtual|override)\b|\boperator\s*(?:\(\)|[=+\-*<>\[])",
            ),
            (1, r"^\s*//|^\s*\*/|^[A-Z_]{3,}\("),
            (1, r"[;{}]\s*$"),
            (2, r"^\s*(?:class|struct)\s+\w+.*\{|->\w+\("),
        ],
    ),
    (
        "Objective-C",
        &[
            (
                4,
                r"^\s*@(?:interface|implementation|protocol|property|end|class|import|synthesize)\b",
            ),
            (3, r"^\s*#import\s"),
            (3, r"^[-+]\s*\(\w[^)]*\)\s*\w+"),
            (2, r"\[\w+ \w+[:\]]|@\x22"),
            (1, r"^\s*(?://|/\*|#include|#define|#pragma)"),
            (2, r"\bNS(?:String|Array|Log|Object|Integer|UInteger)\b"),
        ],
    ),
    (
        "Objective-C++",
        &[
            (
                3,
                r"^\s*(?:#import|#include|@interface|@implementation|@end|#pragma|#ifdef|using namespace)\b",
            ),
            (1, r"^\s*//|/\*"),
            (1, r";\s*$"),
        ],
    ),
    (
        "Logos",
        &[
            (
                6,
                r"^\s*%(?:hook|orig|group|ctor|end|new|init|subclass|property|dtor)\b|%orig\b|%c\(",
            ),
            (1, r"^\s*#import\s|^@interface\b"),
        ],
    ),
    (
        "RPC",
        &[
            (4, r"\b(?:program|version)\s+\w+\s*\{|^\s*%#"),
            (1, r"\b(?:opaque|unsigned hyper|string \w+<)"),
        ],
    ),
    (
        "Linker Script",
        &[
            (
                4,
                r"\b(?:SECTIONS|OUTPUT_ARCH|OUTPUT_FORMAT|MEMORY|ENTRY|KEEP|PROVIDE)\b",
            ),
            (2, r"\*\(\.\w+\)|\. = ALIGN"),
        ],
    ),
    ("DirectX 3D File", &[(12, r"\Axof ")]),
    (
        "Linux Kernel Module",
        &[(4, r"^\S+\.k?o\s*$"), (3, r"^[\w/.\-]+\.k?o(?:\s+[\w/.\-]+\.k?o)*\s*$")],
    ),
    (
        "AMPL",
        &[(
            3,
            r"^\s*(?:param|set|var|minimize|maximize|subject to|s\.t\.|data;|solve;)\b",
        )],
    ),
    (
        "Modula-2",
        &[
            (
                4,
                r"^\s*(?:(?:IMPLEMENTATION|DEFINITION)\s+)?MODULE\s+\w+|^\s*END\s+\w+\.|^FROM \w+ IMPORT",
            ),
            (1, r"\b(?:PROCEDURE|BEGIN|VAR)\b"),
        ],
    ),
    (
        "NMODL",
        &[(
            4,
            r"^\s*(?:NEURON|UNITS|PARAMETER|ASSIGNED|BREAKPOINT|INITIAL|STATE|DERIVATIVE)\s*\{",
        )],
    ),
    (
        "SWIG",
        &[(
            4,
            r"^\s*%(?:module|include|import|extend|typemap|template|apply|feature|newobject|rename|\{)",
        )],
    ),
    ("Hack", &[(12, r"<\?hh")]),
    (
        "OpenCL",
        &[
            (
                3,
                r"\b__?kernel\b|\bkernel\s+void\b|\bget_(?:global|local)_id\(|\b__?(?:global|local|constant)\b|#pragma OPENCL",
            ),
            (1, r"/\*|//|;\s*$"),
        ],
    ),
    (
        "Cool",
        &[(
            3,
            r"^\s*class\s+\w+(?:\s+inherits\s+\w+)?\s+is|^\s*class\s+\w+.*\{|\bSELF_TYPE\b|<-|\bfi\b|\bpool\b",
        )],
    ),
    (
        "Slice",
        &[(3, r"^\s*(?:module|interface|struct|sequence<|exception|#include|\[\[)")],
    ),
    (
        "SIP",
        &[(
            3,
            r"^\s*%(?:Module|Include|Import|TypeHeaderCode|MethodCode|End|MappedType|Docstring)\b",
        )],
    ),
    (
        "AngelScript",
        &[
            (
                3,
                r"\w+@\s*\w|@\w+\s*=|&in\b|&out\b|\barray<\w+>|^\s*(?:shared|mixin|funcdef)\s|^\s*#include \x22.*\.as\x22",
            ),
            (2, r"^\s*(?:void|int|uint|bool|float|double|string)\s+\w+\s*\("),
            (1, r"\b(?:uint|int64)\b|\bString\b.*;"),
        ],
    ),
    (
        "ActionScript",
        &[
            (
                4,
                r"^\s*package\b|^\s*import\s+(?:flash|mx|com|org|fl|starling|spark)\.|^\s*(?:#include|class)\s.*\bextends MovieClip\b",
            ),
            (3, r"\bfunction\s+\w+\s*\([^)]*\)\s*:\s*\w+|\bvar\s+\w+\s*:\s*\w+"),
            (1, r"\b(?:_root|_global|trace\(|this\.\w+ = function)"),
        ],
    ),
    (
        "AGS Script",
        &[
            (
                3,
                r"^\s*(?:function|import|export|struct|enum|noloopcheck|managed)\s|^\s*#(?:sectionstart|ifdef|ifnver|ifver)",
            ),
            (2, r"\b(?:player|cEgo|character|oRoom|mouse|Wait)\b\s*[.(\[]"),
        ],
    ),
    (
        "KoLmafia ASH",
        &[
            (
                5,
                r"\$(?:item|items|location|familiar|effect|skill|monster|class|stat|slot|path|bounty|coinmaster)s?\[|^\s*(?:since r\d|script \x22|notify |import <)|\bcli_execute\(|\bvisit_url\(|\bmy_\w+\(\)",
            ),
            (
                2,
                r"^\s*(?:boolean|item|string|int|void|record|float|location|buffer)\s+\w+",
            ),
        ],
    ),
    // Assembly.
    (
        "Assembly",
        &[
            (4, r"\A"),
            (
                2,
                r"(?i)^\s*(?:section|segment|global|extern|bits|org|proc|endp|ends|assume|\.model|\.code|\.data|include|%macro|%define|%include|%ifdef|macro|endm|db|dw|dd|dq|equ)\b",
            ),
            (
                1,
                r"(?i)^\s+(?:mov|push|pop|call|jmp|jnz|jz|ret|ld|lda|sta|ldx|jr|jp|xor|add|sub|cmp|int)\s",
            ),
            (1, r"^\s*;"),
        ],
    ),
    (
        "Unix Assembly",
        &[
            (
                4,
                r"^\s*\.(?:globl|global|text|section|align|p2align|balign|type|size|macro|endm|file|cfi_\w+|set|long|byte|word|ascii|asciz|arch|cpu|syntax|code|thumb|arm|extern|weak|data|bss)\b",
            ),
            (2, r"%(?:[er]?[abcd]x|[er]?[sd]i|[er]?[sb]p|r\d+|xmm\d+)\b"),
            (
                2,
                r"^\s*#\s*(?:include|define|if|ifdef|endif)\b|^\s*(?:ENTRY|SYM_FUNC_START|FUNC|END)\(",
            ),
            (1, r"^\s*(?://|/\*|@)"),
        ],
    ),
    (
        "Motorola 68K Assembly",
        &[(
            3,
            r"(?i)^\s*(?:\w+:?)?\s+(?:move[amq]?|lea|bra|bsr|jsr|btst|tst|clr|addq|subq|dbra|dbf|rts)(?:\.[bwls])?\s.*(?:\b[ad][0-7]\b|\(a[0-7]\)|\(pc\))",
        )],
    ),
    (
        "Nasal",
        &[
            (
                3,
                r"\bvar\s+\w+\s*=\s*func\b|\b(?:setprop|getprop|settimer|setlistener|maketimer)\(|\bprops\.\w+|\bprint\(",
            ),
            (1, r"^\s*var\s|^\s*#"),
        ],
    ),
    // Scripts that share .cgi, .fcgi, .pl, .pm, .t.
    (
        "Perl",
        &[
            (
                4,
                r"^\s*use\s+(?:strict|warnings|lib|base|parent|constant|vars|utf8|POSIX|Carp|Test::More|Data::Dumper|Getopt::Long|5\.|v5)\b",
            ),
            (2, r"^\s*(?:my|our|local)\s*[($@%]"),
            (2, r"^\s*sub\s+\w+\s*(?:\{|\(|$)"),
            (2, r"[$@%]\w+(?:->|\{|\[)|\$_\b|=~\s*[ms/]"),
            (2, r"^\s*(?:print|die|return|push|open|foreach|unless|elsif)\b.*;"),
            (3, r"^=(?:head\d|pod|cut|over|item)\b|^__(?:END|DATA)__"),
            (3, r"^\s*package\s+[\w:]+\s*;|^1;\s*$"),
        ],
    ),
    (
        "Raku",
        &[
            (6, r"^\s*use\s+v6\b|\buse\s+Test;"),
            (
                3,
                r"^\s*(?:multi\s+)?(?:method|submethod|token|regex|rule|grammar|role|proto)\s+[\w\-]+|^\s*unit\s+(?:module|class)\b|\bclass\s+[\w:\-]+\s*(?:is|does|\{)",
            ),
            (
                2,
                r"\bsay\s|\.say\b|\bhas\s+[$@%]|\bmy\s+\w+\s+\$|[$@%][.!]\w+|-> [$@]|\bgather\b|\bis-deeply\b",
            ),
        ],
    ),
    (
        "Prolog",
        &[
            (3, r":-"),
            (2, r"^[a-z]\w*\([^)]*\)\s*\.\s*$|^[a-z]\w*\(.*\)\s*:-"),
            (1, r"^\s*%|,\s*$|\.\s*$"),
            (
                3,
                r"^:-\s*(?:module|use_module|dynamic|initialization|ensure_loaded|discontiguous)\b",
            ),
            (1, r"\[[A-Z]\w*\|[A-Z_]\w*\]|\bis\b|\\\+"),
        ],
    ),
    (
        "Python",
        &[
            (3, r"^\s*(?:import \w|from [\w.]+ import |def \w+\(.*\):|class \w+.*:)"),
            (2, r"^\s*(?:if|for|while|else|elif|try|except|with)\b.*:\s*$|\bprint\b"),
            (3, r"\b(?:Analysis|EXE|PYZ|COLLECT)\("),
        ],
    ),
    (
        "Ruby",
        &[
            (
                3,
                r"^\s*(?:require(?:_relative)?\s+['\x22]|module [A-Z]|class [A-Z]\w*|def \w+[?!]?)",
            ),
            (2, r"^\s*end\s*$|\bdo\s*(?:\|[^|]*\|)?\s*$"),
            (2, r"\bGem::|\bdescribe\b|@\w+\b|\bputs\b|\.each\b"),
        ],
    ),
    (
        "Shell",
        &[
            (
                3,
                r"^\s*(?:if \[|fi\b|then\b|done\b|esac\b|echo\b|export \w+=|case .* in\b|elif \[)",
            ),
            (1, r"\$\{?\w+\}?|^\w+="),
        ],
    ),
    (
        "PHP",
        &[
            (200, r"\A\s*<\?(?:php\b|\s)"),
            (20, r"<\?(?:php\b|=)"),
            (1, r"\$this->|\$\w+\s*="),
        ],
    ),
    (
        "Lua",
        &[(
            3,
            r"^\s*local\s+\w+|^\s*(?:local\s+)?function\s+[\w.:]+\s*\(|\bthen\s*$|^\s*end\b",
        )],
    ),
    (
        "Terra",
        &[
            (
                4,
                r"^\s*terra\s+\w+|\bterralib\.|\bterra\s*\(|^\s*(?:local\s+)?struct\s+\w+",
            ),
            (
                2,
                r"^\s*local\s+\w+|^\s*function\b|^\s*require\b|\brequire\s*\(?\s*[\x22']|\bC\.\w+\(|\bassert\(",
            ),
        ],
    ),
    (
        "Turing",
        &[
            (
                3,
                r"^\s*(?:put|get|var\s+\w+\s*:|loop|end\s+(?:loop|if|for)|proc\w*\s|fcn\s|const\s+\w+\s*:=|exit when)\b",
            ),
            (1, r"^\s*%"),
        ],
    ),
    // Objects, notebooks and mathematics in .m, .nb, .mo, .mod.
    (
        "MATLAB",
        &[
            (
                3,
                r"^\s*function\b|^\s*classdef\b|^\s*end\s*(?:;|%|$)|^\s*end(?:function|if|for|while)\b",
            ),
            (2, r"^\s*%"),
            (
                1,
                r"\b(?:zeros|ones|disp|fprintf|plot|length|size|numel|figure|hold on|num2str|printf|isempty|rand|linspace|clc|clear|close all)\b",
            ),
            (2, r"\.[*/^']|\.\.\.\s*$|^\s*\w+\s*=\s*\[|\w'\s*[;*]"),
            (1, r";\s*(?:%.*)?$|\bend\b"),
            (2, r"^\s*#!?.*octave|^\s*##? |^\s*1;\s*$"),
        ],
    ),
    (
        "Wolfram Language",
        &[
            (
                4,
                r"\bBeginPackage\[|\bBegin\[|\bModule\[|\bBlock\[|::usage|\bNotebook\[|\bCell\[|\bNeeds\[",
            ),
            (2, r"\(\*|\*\)|:=|/@|->|\[\[|@@|//\w"),
            (2, r"\b[A-Z]\w+\[[^\]]*\]"),
        ],
    ),
    (
        "M",
        &[
            (
                2,
                r"^[%A-Za-z]\w*(?:\([^)]*\))?\s*;|^\s+;|^\s+(?:\.\s*)*(?i:quit|set|new|do|kill|write|if|for|q|s|n|d|k|w)\b(?: |:)",
            ),
            (
                3,
                r"\$\$\w+\^|\^[A-Z%]\w*\(|\$(?i:piece|order|get|data|length|extract|select|p|o|g)\(",
            ),
        ],
    ),
    (
        "Mercury",
        &[
            (
                5,
                r"^\s*:- (?:module|interface|implementation|import_module|pred|func|mode|type|end_module|use_module|inst)\b",
            ),
            (1, r"^\s*%"),
        ],
    ),
    (
        "Moocode",
        &[
            (
                4,
                r"^@(?:verb|program|create|property|prop|chmod|edit|args)\b|\bplayer:tell\(|\bthis\.\w+|\bcaller_perms\(\)|^\.\s*$|\$\w+_?\w*:\w+\(",
            ),
            (1, r"^\s*(?:endif|endfor|endwhile|fork|endfork|return)\b"),
        ],
    ),
    (
        "MUF",
        &[(3, r"^:\s+\w|^\(\s.*\)\s*$|\bme @\b|\bnotify\b|^\$(?:def|include)\b")],
    ),
    (
        "Limbo",
        &[
            (
                4,
                r"^implement \w+;|^\w+\s*:\s*module\s*\{|^include \x22\w+\.m\x22;|:= load |: con \b",
            ),
            (1, r":=|=>"),
        ],
    ),
    (
        "Modelica",
        &[
            (
                4,
                r"^\s*(?:within\b|(?:partial\s+|encapsulated\s+)?(?:model|package|block|connector|record|class)\s+\w+|equation\s*$|end\s+\w+;|algorithm\s*$)",
            ),
            (
                2,
                r"\bannotation\s*\(|\bModelica\.|\bparameter\s+\w+|\bextends\s|\bconnect\(",
            ),
        ],
    ),
    (
        "Motoko",
        &[
            (
                4,
                r"^\s*import\s+\w+\s+(?:=\s+)?\x22(?:mo:|\.)|^\s*(?:shared\s*\([^)]*\)\s*)?(?:persistent\s+)?actor\b|\b(?:public|private)\s+(?:shared\s+|query\s+|type\b|class\b)*func\b|\bstable var\b",
            ),
            (
                2,
                r"\basync\b|\bfunc\s+\w*\s*[<(]|\bNat\b|\bdebug_show\b|\?\w+|^\s*(?:let|var)\s+\w+\s*[:=]",
            ),
            (1, r"^\s*(?:module|type|switch|case)\b"),
        ],
    ),
    // Hardware, proof and V in .v.
    (
        "Verilog",
        &[
            (
                3,
                r"^\s*(?:module\b|endmodule\b|assign\s|always\b|initial\b|`(?:timescale|include|define|ifdef|ifndef|endif|default_nettype))",
            ),
            (
                2,
                r"^\s*(?:input|output|inout|wire|reg|parameter|localparam|genvar|generate|endgenerate|integer)\b|\b(?:posedge|negedge)\b|\d+'[bhdBHD][0-9a-fA-FxXzZ_]+",
            ),
            (1, r"\bbegin\b|\bend\b|<="),
        ],
    ),
    (
        "V",
        &[
            (
                4,
                r"^\s*(?:pub\s+)?fn\s+(?:\([^)]*\)\s*)?[\w.]+\s*(?:\[\w+\]\s*)?\(|^\s*module\s+\w+\s*$|^\s*import\s+[\w.]+\s*(?:\{.*\}|as \w+)?\s*$",
            ),
            (
                2,
                r"\bmut\s+\w+|:=|\bprintln\(|\bor\s*\{|\bassert\s|^\s*(?:pub\s+)?(?:struct|enum|interface|const|type)\s+\w+|^\s*(?:__global|\$if|\$else|\$for)\b|\$tmpl|@\[|^\s*\[\w+\]\s*$",
            ),
            (1, r"^//|\bunsafe\s*\{|\bmatch\s|\breturn\b[^;]*$"),
        ],
    ),
    (
        "Rocq Prover",
        &[
            (
                3,
                r"^\s*(?:Lemma|Theorem|Definition|Fixpoint|CoFixpoint|Inductive|CoInductive|Notation|Section|Module|Proof|Qed|Record|Structure|Variables?|Hypothes[ie]s|Context|Ltac|Instance|Canonical|Coercion|Local|Global|Require|From|Import|Export|Set|Unset|Arguments|Reserved|Open|Axiom|Corollary|Example|Goal|Print|Check|End|HB\.\w+)\b.*",
            ),
            (1, r"\.\s*$|\(\*|\*\)|:=|\bforall\b|=>"),
        ],
    ),
    // Visual Basic, Apex, TeX and ABL in .cls, .bas, .frm.
    (
        "Apex",
        &[
            (
                5,
                r"(?i)^\s*(?:public|global|private|abstract|virtual)\s+(?:(?:with|without|inherited)\s+sharing\s+|virtual\s+|abstract\s+)*(?:class|interface|enum)\s+\w+",
            ),
            (
                3,
                r"(?i)@(?:isTest|AuraEnabled|InvocableMethod|InvocableVariable|TestVisible|future|RestResource|HttpGet|TestSetup|NamespaceAccessible|SuppressWarnings)\b|\bSystem\.(?:assert\w*|debug|runAs)\b|\[\s*SELECT\b|\bTest\.startTest\b|\bDatabase\.\w+",
            ),
            (1, r"[;{}]\s*$|^\s*\*|^\s*//"),
            (
                2,
                r"\b(?:static|final|override)\s+\w+[\w<>, ]*\s+\w+\s*\(|\b(?:List|Map|Set)<\w",
            ),
        ],
    ),
    (
        "TeX",
        &[
            (
                4,
                r"^\s*\\(?:NeedsTeXFormat|ProvidesClass|ProvidesPackage|LoadClass|RequirePackage|newcommand|renewcommand|def|documentclass|ProvidesExplClass|input|endinput|usepackage|ExplSyntaxOn)\b",
            ),
            (1, r"\\[A-Za-z@]+|^\s*%"),
        ],
    ),
    (
        "VBA",
        &[
            (8, r"^VERSION 1\.0 CLASS"),
            (3, r"^Attribute VB_\w+|^Option (?:Explicit|Compare|Base|Private)"),
            (
                2,
                r"(?i)^\s*(?:(?:public|private|friend)\s+)?(?:static\s+)?(?:sub|function|property (?:get|let|set)|end (?:sub|function|property))\b|^\s*Dim \w+ As\b",
            ),
            (
                3,
                r"\b(?:VBA|Workbooks?|Worksheets?|ActiveSheet|ActiveCell|ThisWorkbook|Excel|Access|Range\(|Cells\(|PtrSafe|VBA7|Win64|LongPtr|CurrentDb|DoCmd)\b|#If Mac\b",
            ),
        ],
    ),
    (
        "Visual Basic 6.0",
        &[
            (
                3,
                r"\bApp\.(?:Path|Title|EXEName|hInstance|Major|LogEvent|PrevInstance)\b|\bUnload (?:Me|frm\w*)|\bfrm\w+\.(?:Show|Hide)\b|\bVB\.\w+|\bScreen\.(?:MousePointer|TwipsPerPixel\w)|\bForm_Load\b|\bLoadPicture\(|\.ScaleMode\b|\bSub Main\(\)",
            ),
            (2, r"^Attribute VB_\w+|^Option Explicit"),
            (
                2,
                r"(?i)^\s*(?:(?:public|private|friend)\s+)?(?:static\s+)?(?:sub|function|property (?:get|let|set)|end (?:sub|function|property))\b|^\s*Dim \w+ As\b",
            ),
            (1, r"^(?:Global|Public|Private) (?:Const|Declare|Type)\b"),
        ],
    ),
    (
        "OpenEdge ABL",
        &[
            (
                4,
                r"(?i)^\s*(?:DEFINE\s+(?:VARIABLE|TEMP-TABLE|INPUT|OUTPUT|BUFFER)|END\s+(?:CLASS|METHOD|PROCEDURE|FUNCTION)\.|(?:CLASS|INTERFACE|METHOD)\s.*:|USING\s+[\w.*]+\.|FOR EACH\b|BLOCK-LEVEL)",
            ),
            (1, r"(?i)\bNO-UNDO\b|\bEND\.\s*$|:\s*$"),
        ],
    ),
    (
        "ObjectScript",
        &[
            (
                6,
                r"^Class\s+[\w.%]+(?:\s+Extends\s|\s*$|\s*\{)|^(?:ClassMethod|Property|Parameter|Method|Query|Index|Storage|XData)\s",
            ),
            (2, r"##class\(|\bQuit\b|\bSet\s+\w|\$\$\$\w+"),
        ],
    ),
    (
        "BASIC",
        &[(
            3,
            r"^\s*\d+\s+(?:REM|PRINT|GOTO|GOSUB|LET|IF|FOR|NEXT|DIM|INPUT|END|READ|DATA)\b",
        )],
    ),
    (
        "FreeBASIC",
        &[
            (
                4,
                r"(?i)^\s*#(?:include|define|ifdef|ifndef|endif|lang|macro|pragma)\b|^\s*dim\s+(?:shared\s+)?as\s|\bas\s+\w+\s+ptr\b|\b(?:byref|cast)\b|^\s*type\s+\w+\s*$",
            ),
            (1, r"^\s*'|(?i)\bend (?:sub|function|if)\b"),
        ],
    ),
    (
        "QuickBASIC",
        &[(
            3,
            r"^\s*(?:DECLARE (?:SUB|FUNCTION)|SCREEN \d|CLS|LOCATE |DEF(?:INT|SNG|STR)|PRINT|COLOR |GOSUB|INPUT )\b|^\s*'\$",
        )],
    ),
    (
        "B4X",
        &[(20, r"\A\W{0,3}B4\w=true|^#Region\s+(?:Project|Module) Attributes")],
    ),
    (
        "Smalltalk",
        &[
            (4, r"!\s*$|methodsFor:|\bsubclass:|>>\s*\w+|instanceVariableNames:"),
            (1, r":=|\^\s*\w+|\w+:\s"),
        ],
    ),
    (
        "C#",
        &[
            (
                3,
                r"^\s*using\s+[\w.]+;|^\s*namespace\s+[\w.]+|^\s*#(?:addin|tool|load|r)\s",
            ),
            (
                2,
                r"\b(?:public|private|internal|static|var)\s+\w+|\bTask\(\x22|[;{}]\s*$",
            ),
        ],
    ),
    (
        "CoffeeScript",
        &[
            (
                3,
                r"->\s*$|^\s*task\s+['\x22]|^\w+\s*=\s*require\s+['\x22]|\b(?:unless|isnt)\b",
            ),
            (1, r"^\s*#"),
        ],
    ),
    // Lisps, Forth, functional languages.
    (
        "Common Lisp",
        &[
            (
                3,
                r"^\s*\((?:defun|defmacro|defvar|defparameter|defpackage|in-package|defclass|defmethod|defgeneric|setq|setf|eval-when)\b",
            ),
            (1, r"^\s*;;"),
        ],
    ),
    (
        "NewLisp",
        &[(4, r"^\s*\((?:define|context|load|println|set)\b|\(set '")],
    ),
    (
        "PicoLisp",
        &[
            (
                4,
                r"^\s*\((?:de|class|rel|code|data|must|load|setq|allow)\s|\(prinl?\b|\(let \(?\w",
            ),
            (2, r"^# |\]\s*$"),
        ],
    ),
    (
        "Scheme",
        &[
            (
                4,
                r"^\s*\((?:define\S*|library|import|module|use-modules|let\*?|load|require|export|set!|display)\b",
            ),
            (1, r"^\s*;|#[tf]\b|\(lambda\b"),
        ],
    ),
    (
        "Tree-sitter Query",
        &[(
            2,
            r"@[a-z_][\w.\-]*\s*\)?\s*$|\(#\w+[?!]|^\s*\(\w+\)\s*@|^\s*\[\s*$|^\s*\x22[^\x22]+\x22\s*(?:@.*)?$",
        )],
    ),
    (
        "Clojure",
        &[(
            3,
            r"^\s*\((?:ns|defn-?|def|defmacro|defmulti|require|deftask|set-env!|use)\s",
        )],
    ),
    (
        "Forth",
        &[
            (3, r"^\s*:\s+\S+|\(\s[^)]*--[^)]*\)|^\s*\\\s"),
            (
                2,
                r"(?i)^\s*(?:variable|create|include|require|also|previous|only|vocabulary|\d+\s+constant|decimal|hex|marker|needs|\[if\]|\[then\]|\[ifdef\]|\[undefined\])\b",
            ),
            (1, r";\s*$|\s(?:dup|swap|drop|over|rot|@|!|c@|emit|cr)\s|\.\x22\s"),
        ],
    ),
    (
        "F#",
        &[
            (
                3,
                r"^\s*(?:let|open|module|namespace|type|member|match|module rec|#r|#load|#if)\s",
            ),
            (2, r"\|>|\bfun\s|<-|->|\[<\w+"),
            (1, r"^\s*//|\(\*"),
        ],
    ),
    (
        "GLSL",
        &[
            (
                4,
                r"^\s*#version\b|\bgl_\w+|\bvoid\s+main\s*\(\s*(?:void)?\s*\)|^\s*(?:precision|uniform|varying|attribute|layout\s*\()\b",
            ),
            (
                2,
                r"\b(?:[biu]?vec[234]|mat[234]|sampler\w+)\b|^\s*(?:in|out)\s+\w+\s+\w+;",
            ),
        ],
    ),
    (
        "Filterscript",
        &[(6, r"#pragma\s+(?:rs|version)\b|\brs_\w+|__attribute__\(\(kernel\)\)")],
    ),
    (
        "RenderScript",
        &[(6, r"#pragma\s+(?:rs|version)\b|\brs_\w+|__attribute__\(\(kernel\)\)")],
    ),
    (
        "Rust",
        &[
            (
                3,
                r"^\s*(?:pub\s|use\s|fn\s|mod\s|impl\b|struct\s|enum\s|extern crate|#!?\[)|^//!|^///",
            ),
            (1, r"\blet\b|->|::|!\("),
        ],
    ),
    (
        "ShaderLab",
        &[(
            4,
            r"(?i)^\s*(?:Shader\s+\x22|SubShader\b|Properties\b|CGPROGRAM|HLSLPROGRAM|Pass\b)",
        )],
    ),
    (
        "HLSL",
        &[(
            4,
            r"\bfloat[1-4](?:x[1-4])?\b|:\s*(?:SV_\w+|POSITION|TEXCOORD\d?|COLOR0?|register)\b|\btechnique\d*\s|\bcbuffer\b",
        )],
    ),
    (
        "OCaml",
        &[
            (
                3,
                r"^\s*(?:let|open|module|type|and|external|exception|val)\s|\bin\s*$|;;\s*$",
            ),
            (1, r"->|\bmatch\b|\(\*|\|"),
        ],
    ),
    (
        "Standard ML",
        &[
            (
                3,
                r"^\s*(?:fun|val|structure|signature|datatype|functor|local)\s|\bend\s*$|\bfn\s",
            ),
            (1, r"=>|\bcase\b|\(\*"),
        ],
    ),
    (
        "Erlang",
        &[
            (
                4,
                r"^-(?:module|export|behaviou?r|include|record|define)\(|^\{application,",
            ),
            (1, r"->\s*$|^%%"),
        ],
    ),
    ("ECLiPSe", &[(3, r":-"), (1, r"^%")]),
    ("ECL", &[(3, r":=|\bEXPORT\b|\bOUTPUT\(|\bDATASET\("), (1, r"^//")]),
    (
        "Brainfuck",
        &[(3, r"[+\-<>]{8,}|\[[-<>+]{1,12}\]"), (1, r"[+\-<>\[\].,]{4,}")],
    ),
    (
        "Befunge",
        &[
            (5, r"[>:#,]*,_@|_@|>:#|:\|\s*$|\x22[^\x22]*\x22.*[>v<^@]|,,,+"),
            (1, r"@|[v^]\s*$|^\s*[>v<^|]"),
        ],
    ),
    (
        "HyPhy",
        &[
            (
                4,
                r"\b(?:LoadFunctionLibrary|ExecuteAFile|fprintf\s*\(\s*stdout|DataSet(?:Filter)?|LikelihoodFunction|fscanf)\b",
            ),
            (1, r";\s*$"),
        ],
    ),
    (
        "Beef",
        &[
            (4, r"^\s*using\s+System|^\s*namespace\s+\w+|\bConsole\.Write"),
            (1, r";\s*$"),
        ],
    ),
    ("Frege", &[(3, r"^\s*(?:module|import|data|package|type)\s|::")]),
    ("Charity", &[(3, r"^\s*(?:data|def|rf)\s|^\s*%|->|=>|\{\|")]),
    (
        "Genie",
        &[
            (5, r"^\[indent=|^init\s*$|^uses\b|^\s*def\s+\w+\s*\("),
            (1, r"^\s*(?:print|var)\b"),
        ],
    ),
    (
        "Gosu",
        &[
            (
                4,
                r"^uses\s+\w|\bproperty\s+(?:get|set)\b|\benhancement\s+\w+|<%@?|\\\s*\w*\s*->|^\s*print\(",
            ),
            (2, r"\$\{|\bfunction\s+\w+\([^)]*\)\s*:\s*\w+"),
        ],
    ),
    (
        "JavaScript",
        &[
            (
                2,
                r"\bfunction\b|\bvar\s+\w+\s*=|=>|\brequire\(|\bmodule\.exports\b|^\s*(?:const|let|import|export)\s",
            ),
            (1, r"[;{}]\s*$|^\s*//|/\*"),
            (
                4,
                r"\b(?:SpreadsheetApp|DriveApp|GmailApp|UrlFetchApp|Logger\.log|document\.|window\.)",
            ),
        ],
    ),
    ("Qt Script", &[(3, r"\bfunction\b|\bComponent\b|\binstaller\.|\bvar\s")]),
    (
        "Q#",
        &[(
            4,
            r"^\s*(?:namespace\s+[\w.]+|open\s+Microsoft|operation\s+\w+|function\s+\w+)|\bQubit\b",
        )],
    ),
    (
        "JSONiq",
        &[
            (
                4,
                r"^\s*(?:jsoniq version|xquery version|module namespace|declare (?:function|variable|namespace)|import module)\b|\breturn\s*[{\[$]",
            ),
            (2, r"\bfor\s+\$|\blet\s+\$\w+\s*:=|\bcollection\("),
        ],
    ),
    (
        "jq",
        &[
            (
                3,
                r"^\s*def\s+\w+(?:\([^)]*\))?\s*:|\bselect\(|\bto_entries\b|\breduce\b|\bmap\(|\.\[\]",
            ),
            (2, r"^\s*\||^\s*#|^\s*\.\w+|^\s*import\s+\x22"),
        ],
    ),
    (
        "KerboScript",
        &[
            (
                3,
                r"(?i)^\s*(?:lock|set|print|unlock|declare|local|global|stage|wait|run|toggle|until)\b.*\.\s*(?://.*)?$|\bship:\w+|\bthrottle\b|\bapoapsis\b",
            ),
            (1, r"^\s*//|\}\s*$"),
        ],
    ),
    (
        "Component Pascal",
        &[
            (5, r"^\s*MODULE\s+\w+;|^\s*END\s+\w+\.|^\s*IMPORT\b|^\s*PROCEDURE\b"),
            (1, r":=|\(\*"),
        ],
    ),
    (
        "Pascal",
        &[
            (
                3,
                r"(?i)^\s*(?:unit\s+\w+;|uses\b|interface\s*$|implementation\s*$|program\s+\w+|procedure\s|function\s+\w+.*:\s*\w+;|begin\s*$|end[.;]\s*$|\{\$\w+)",
            ),
            (1, r":=|\{[^$}]*\}"),
        ],
    ),
    (
        "Puppet",
        &[
            (
                3,
                r"^\s*(?:class|define|node|include|case|if)\s+['\x22$\w:]+.*\{?\s*$|^\s*\w+\s*\{\s*['\x22$\[]|\$::\w+",
            ),
            (2, r"=>|^\s*ensure\s"),
            (1, r"^\s*#"),
        ],
    ),
    (
        "Red",
        &[
            (6, r"^\s*Red(?:/System)?\s*\["),
            (
                2,
                r"^\w[\w\-]*:\s+(?:func|function|make|does|context|object|alias|routine)\b",
            ),
            (1, r"^\s*;"),
        ],
    ),
    (
        "Redscript",
        &[
            (
                4,
                r"^\s*@(?:wrapMethod|addMethod|replaceMethod|addField)\b|^\s*(?:public|private|protected|native|abstract|static|final|cb|quest|persistent|const|importonly|edit|exec)\s+(?:\w+\s+)*(?:func|class|let|struct|enum)\b|^\s*(?:module|import)\s+[\w.]+\*?\s*$",
            ),
            (1, r"\blet\s+\w+\s*:|->\s*\w+"),
        ],
    ),
    (
        "Rebol",
        &[
            (6, r"(?i)\bREBOL\s*\["),
            (
                2,
                r"^\s*[\w\-?!]+:\s+(?:func|function|make|does|context|object|use|either|copy|to)\b",
            ),
            (1, r"^\s*;"),
        ],
    ),
    ("R", &[(2, r"<-|\blibrary\(|\bfunction\s*\("), (1, r"^\s*#|\$\w+|%>%")]),
    (
        "Rez",
        &[(
            5,
            r"^\s*(?:resource|data|type|read|include)\s+'\w{4}'|#include \x22\w+\.r\x22",
        )],
    ),
    (
        "MQL4",
        &[(
            3,
            r"\b(?:OrderSend|OrderSelect|OrderClose|OrdersTotal|OrderTicket|OrderType|MarketInfo|iCustom|RefreshRates|IndicatorBuffers|SetIndexBuffer|IndicatorCounted)\s*\(|^\s*extern\s|\bint\s+(?:init|deinit|start)\s*\(|MQL4|\b(?:Bid|Ask)\b",
        )],
    ),
    (
        "MQL5",
        &[
            (
                3,
                r"\b(?:MqlTradeRequest|MqlTradeResult|MqlTick|MqlRates|CTrade|CPositionInfo|CObject|CArray\w*|CSymbolInfo|PositionSelect|PositionGet\w+|CopyBuffer|CopyRates|HistorySelect|HistoryDeal\w+|SymbolInfo\w+)\b|MQL5|\bENUM_\w+|\bvirtual\b",
            ),
            (
                2,
                r"^\s*input\s|\bOnInit\(|\bOnTick\(|#include <(?:Object|Arrays|Trade|Controls)",
            ),
        ],
    ),
    (
        "PowerBuilder",
        &[(
            6,
            r"^Save Format v|^\$PBExport|^forward\s*$|^end forward\s*$|^global type\b|^@begin|^appname\b|^applib\b|^(?:type|end type)\b",
        )],
    ),
    (
        "POV-Ray SDL",
        &[
            (
                4,
                r"^\s*#(?:declare|local|macro|while|version|default|switch|case|break)\b|^\s*(?:camera|light_source|texture|pigment|object|union|sphere|box|finish)\s*\{",
            ),
            (1, r"^\s*//|#(?:if|end|else|include|ifdef|ifndef)\b"),
            (
                2,
                r"<\s*-?[\d.]+\s*,\s*-?[\d.]+\s*,\s*-?[\d.]+\s*>|\bPersistence of Vision\b",
            ),
        ],
    ),
    (
        "SourcePawn",
        &[
            (
                4,
                r"^\s*(?:stock|native|forward|methodmap|enum struct|public\s+(?:void|int|bool|Action|Plugin))\b|\b(?:Handle|Action|INVALID_HANDLE|MaxClients)\b|#include <(?:sourcemod|sdktools|sdkhooks)>|\bPlugin\s+myinfo\b",
            ),
            (1, r"^\s*(?:#if|#define|#endif|\*|/\*\*)"),
        ],
    ),
    (
        "Pawn",
        &[
            (
                3,
                r"^\s*(?:native|forward|stock|public|#tryinclude|#pragma (?:library|tabsize|dynamic))\b",
            ),
            (
                4,
                r"#include <(?:a_samp|amxmodx|YSI\w*|core|float|a_\w+)>|\b(?:playerid|SendClientMessage|CallRemoteFunction|@\w+\()|\bnew\s+\w+(?::\w+)?(?:\[|\s*=)|\bconst\s+\w+\[\]",
            ),
            (1, r"^\s*(?:#if|#define|#endif|/\*|\*)"),
        ],
    ),
    (
        "NASL",
        &[
            (
                5,
                r"^\s*(?:include\s*\(\s*[\x22'][\w./\-]+\.(?:inc|nasl)|(?:global|local)_var\s|script_\w+\(|exit\s*\(\s*\d|display\s*\(|security_message\()|\bget_kb_item\(|\bopen_sock_tcp\(",
            ),
            (2, r"^\s*function\s+\w+\s*\([^)]*\)\s*\{?\s*$"),
            (1, r"^\s*#"),
        ],
    ),
    (
        "BitBake",
        &[
            (
                5,
                r"^\s*(?:inherit|require)\s+\S+|^(?:SRC_URI|DEPENDS|RDEPENDS\S*|LICENSE|LIC_FILES_CHKSUM|SUMMARY|DESCRIPTION|PV|PR|FILES\S*|S|EXTRA_\w+|PACKAGE\w*|SRCREV|HOMEPAGE|SECTION|MACHINE\w*|IMAGE_\w+|DISTRO\w*|PREFERRED_\w+|KERNEL_\w+)(?:[_:][\w\-:]+)?\s*[?:+.]*=|^do_\w+\s*\(\)|^python\s",
            ),
            (2, r"\bbb\.utils\b|\$\{\w+\}|\?\?="),
        ],
    ),
    (
        "IDL",
        &[
            (
                3,
                r"(?i)^\s*(?:pro\s+\w+|function\s+\w+\s*,|end(?:if|for|while|else)?\s*$|compile_opt\b)|\bkeyword_set\(|\bn_elements\(",
            ),
            (1, r"^\s*;"),
        ],
    ),
    (
        "QMake",
        &[
            (
                4,
                r"^\s*(?:TARGET|TEMPLATE|SOURCES|HEADERS|FORMS|QT|CONFIG|INCLUDEPATH|LIBS|DEFINES|RESOURCES|SUBDIRS|DESTDIR|VERSION|OTHER_FILES|TRANSLATIONS)\s*[+\-*]?=",
            ),
            (2, r"^\s*[\w:|!()]+\s*\{\s*$|\$\$\w+"),
        ],
    ),
    (
        "Proguard",
        &[(
            5,
            r"^\s*-(?:keep\w*|dontwarn|optimizations?\w*|dontobfuscate|dontoptimize|renamesourcefile\w*|libraryjars|injars|assumenosideeffects|printmapping|verbose|dontshrink)\b",
        )],
    ),
    (
        "Gnuplot",
        &[(
            3,
            r"^\s*(?:set\s+(?:term\w*|output|title|xlabel|ylabel|xrange|yrange|key|style|grid|size|logscale|multiplot)|s?plot\s|unset\s|replot\b|load\s|pause\s)\b?",
        )],
    ),
    (
        "RPM Spec",
        &[
            (
                4,
                r"^(?:Name|Version|Release|Summary|License|Group|URL|Source\d*|BuildRequires|Requires|BuildRoot):",
            ),
            (
                3,
                r"^%(?:description|prep|build|install|files|changelog|define|global|package|post|if|setup)\b",
            ),
        ],
    ),
    (
        "RouterOS Script",
        &[(
            3,
            r"^\s*/(?:ip|interface|system|tool|routing|queue|user|log|ppp|ipv6|certificate|file|radius|snmp|port|caps-man)\b|^\s*:(?:local|global|put|foreach|if|log|do|for|set|delay|while|return)\b|^\s*(?:add|set)\s+[\w\-\[]+.*=",
        )],
    ),
    (
        "Rascal",
        &[
            (
                4,
                r"^\s*module\s+[\w:]+|^\s*import\s+[\w:]+;|\b(?:rel|list|set|map|loc|str)\[|\bpublic\s+\w+",
            ),
            (1, r"\|->|:=|<-"),
        ],
    ),
    (
        "Mask",
        &[(
            3,
            r"^\s*(?:h\d|div|ul|li|section|span|button|header|import)\b.*[{>;]|^\s*\w*[.#][\w\-]+.*[{>;]|~\[",
        )],
    ),
    ("Unity3D Asset", &[(12, r"%TAG !u! tag:unity3d")]),
    ("Gerber Image", &[(4, r"^(?:G0[1-4]|%[A-Z]{2}|D\d{2}\*|X-?\d+Y-?\d+)")]),
    (
        "Solidity",
        &[(
            5,
            r"\bpragma\s+solidity\b|^\s*(?:abstract\s+)?(?:contract|interface|library)\s+\w+|\bmapping\s*\(|SPDX-License-Identifier",
        )],
    ),
    ("STL", &[(5, r"\A\s*solid\b|^\s*facet normal\b")]),
    ("ALGOL", &[(3, r"(?i)^\s*(?:begin|end|comment|proc|mode)\b|:=")]),
    ("Starlark", &[(3, r"^\s*(?:load\(|def\s+\w+\(|\w+\s*=\s*rule\()")]),
    ("STAR", &[(4, r"^(?:data_|loop_|save_|_)\S*")]),
    (
        "ReScript",
        &[(3, r"^\s*(?:let|open|module|type|@\w+|external)\b"), (1, r"=>|->")],
    ),
    (
        "Vim script",
        &[(
            4,
            r"^UseVimball|^\s*(?:let\s+[gsb]:|function!?\s|endfunction|command!?\s|autocmd\s|set\s+\w+)",
        )],
    ),
    ("Pickle", &[]),
    ("Ecmarkup", &[(6, r"<emu-\w+")]),
    ("Markdown", &[(2, r"^#{1,6}\s|^[*\-] |^```|\]\(")]),
    ("GCC Machine Description", &[(5, r"^\(define_\w+|^;;")]),
    (
        "Lex",
        &[
            (4, r"^%%|^%[{}]|^%option\b|\byylex\b|\byytext\b"),
            (1, r"^[A-Z_]+\s+\["),
        ],
    ),
    ("M4Sugar", &[(4, r"\bA[CMSTU]_\w+|\bm4_\w+")]),
    ("M4", &[(3, r"^\s*dnl\b|\bdefine\(|\bdivert\(|\bifdef\(`|\binclude\(")]),
    (
        "SuperCollider",
        &[(
            3,
            r"\bSynthDef\b|\bUGen\b|^\s*\*\w+\s*\{|\^this\.|\barg\s+\w+|\{\s*\|\w+|~\w+\s*=|\.ar\(|\.kr\(|^\w+\s*:\s*\w+\s*\{",
        )],
    ),
    (
        "Scala",
        &[
            (
                3,
                r"^\s*(?:object|trait|class|case class|import|package|def|val|sealed|abstract class)\s",
            ),
            (1, r"=>|//> using"),
        ],
    ),
    (
        "Fortran",
        &[
            (
                3,
                r"(?i)^\s*(?:program|subroutine|function|module|integer|real|implicit none|use|call|end\s+(?:program|subroutine|function|module)|do\s+\w+|common|dimension|write\s*\(|double precision)\b",
            ),
            (1, r"^[cC*!]"),
        ],
    ),
    ("Fluent", &[(2, r"^-?[a-zA-Z][\w\-]*\s*=\s|\{\s*\$\w+")]),
    ("FreeMarker", &[(4, r"</?#\w+|</?@\w+|\$\{")]),
    (
        "JASS",
        &[(
            4,
            r"^\s*(?:function\s+\w+\s+takes|endfunction|globals|endglobals|native|call|local|library|scope|struct)\b",
        )],
    ),
    ("Makefile", &[(3, r"^[\w./$()\-%]+\s*:(?:[^=]|$)|\\\s*$|^\t")]),
    (
        "D",
        &[
            (
                3,
                r"^\s*(?:module\s+[\w.]+;|import\s+[\w.]+|unittest\b|alias\s|template\s|version\s*\(|static if)|\bwritefln?\(",
            ),
            (1, r"[;{}]\s*$"),
        ],
    ),
    (
        "DTrace",
        &[(
            4,
            r"#!/usr/sbin/dtrace|^\w*:\w*:\w*:\w*|#pragma D option|^(?:BEGIN|END)\s*$|\btrace\(|\bself->\w+|\bprintf\(",
        )],
    ),
];
