//! Commits of StarCoderData: one changed file each.

use serde_json::{Value, json};

use super::{Preset, Quirk};

pub(super) const PRESET: Preset = Preset {
    name: "starcoderdata-commits",
    summary: "commits of StarCoderData: `format = \"commitpack\"`",
    source: "Li et al. 2023, arXiv 2305.06161, and `preprocessing/filtering_git_commits.ipynb` with \
             `language_selection/programming-languages-to-file-extensions.json` of bigcode-dataset",
    missing: &[
        "one commit for each file of a repository: rows are not compared",
        "which of a share is dropped is chosen by hash here, by a generator of random numbers there",
        "what of a file is written is a setting of the source",
    ],
    quirks: &[Quirk {
        rules: "change-lines",
        words: "the code compares the first changed line with 0, so that a change's lines are counted from the top of the \
                file; meant are those from the first changed line to the last",
    }],
    table,
};

/// Extensions of 370 programming languages; those of two parts, as `cmake.in`, are never found by the original.
const EXTENSIONS: &str = "\
    1 1in 1m 1x 2 3 3in 3m 3qt 3x 4 4th 5 6 6pl 6pm 7 8 9 _coffee _js _ls a51 abap ada adb ado adoc adp ads agda ahk \
    ahkl aj al als ampl anim ant apacheconf apib apl applescript arc arpa as asax asciidoc ascx asd ash ashx asm \
    asmx asp aspx asset au3 aug auk aux aw awk axd axi axml axs bas bash bat bats bb bbx befunge bf bib bison bmx \
    bones boo boot brd bro brs bsv builder bzl c c++ c++-objdump c++objdump c-objdump cake capnp cats cbl cbx cc ccp \
    ccxml cdf ceylon cfc cfg cfm cfml chpl chs cirru cjsx ck cl cl2 click clixml clj cljc cljs cljscm cljx clp clw \
    cmake cmd cob cobol coffee com command coq cp cpp cpp-objdump cppobjdump cproject cps cpy cql cr creole cs csd \
    csh cshtml csl cson csproj css csv csx ct ctp cu cuh cw cxx cxx-objdump cy d-objdump darcspatch dart dats db2 \
    dcl ddl decls desktop dfm di diff dita ditamap ditaval djs dlm dm do dockerfile doh dot dotsettings dpatch dpr \
    druby dtx duby dyalog dyl dylan e ebuild ec ecl eclass eclxml edn eex eh el eliom eliomi elm em emacs \
    emberscript epj eps erb erl es6 escript ex exs f f03 f08 f77 f90 f95 factor fan fancypack feature filters fish \
    flex flux for forth fp fpp frag frg frm frt frx fs fsh fshader fsi fsproj fsx fth ftl fun fxh fxml fy g g4 gap \
    gawk gco gcode gd gemspec geo geojson geom gf gi glade glf glsl glslv gms gnu gnuplot go god golo gp grace \
    gradle graphql groovy grt grxml gshader gsp gst gsx gtpl gv gvy gyp h h++ haml handlebars hats hb hbs hcl hh hic \
    hlean hlsl hlsli hpp hqf hrl hs hsc htm html http hx hxsl hxx hy i7x iced icl idc idr ihlp ijs ik ily iml ini \
    inl ino ins intr io ipf ipp ipynb irbrc irclog iss ivy j jade jake java jbuilder jelly jflex jinja jl jq js jsb \
    jscad jsfl jsm json json5 jsonld jsp jsproj jss jsx kicad_pcb kid kit kml krl ksh kt ktm kts lagda las lasso \
    lasso8 lasso9 latte launch lbx ld ldml lds lean less lex lfe lgt lhs lid lidr liquid lisp litcoffee ll lmi lock \
    logtalk lol lookml lpr ls lsl lslp lsp ltx lua lvproj ly m4 ma mak mako man mao markdown mask mat mata matah \
    mathematica matlab mawk maxhelp maxpat maxproj mcr md mdpolicy me mediawiki meta metal minid mir mirah mk mkd \
    mkdn mkdown mkfile mkii mkiv mkvi ml ml4 mli mll mly mm mmk mms mo monkey moon mpl mspec mss mt mtml mu muf \
    mumps mustache mxml mxt myt nasm nawk nb nbp nc nginxconf ni nim nimrod ninja nit nix njs nlogo no nproj nqp nse \
    nsh nsi nu numpy numpyw numsc nuspec nut ny objdump oct odd omgrofl ooc opa opal opencl org osm owl ox oxh oxo \
    oxygene oz p p6 p6l p6m pac pan parrot pas pasm pat patch pb pbi pck pd pd_lua pde perl ph php php3 php4 php5 \
    phps phpt phtml pig pike pir pkb pkl pks pl pl6 plb plist plot pls plsql plt plx pm pm6 pmod po pod podsl \
    podspec pogo pony pot pov prc prefab prefs prg pri prolog properties props proto prw ps ps1 ps1xml psc psc1 psd1 \
    psgi psm1 pt pub purs pwn pxd pxi py pyde pyp pyt pytb pyw pyx qbs qml r r2 r3 rabl rake raml raw rb rbbas rbfrm \
    rbmnu rbres rbtbar rbuild rbuistate rbw rbx rbxs rd rdf rdoc reb rebol red reds reek rest rg rhtml rkt rktd rktl \
    rl rmd rno robot roff ron rpy rq rs rsh rss rst rsx ru ruby rviz s sage sagews sas sass sats sbt scad scala \
    scaml scd sce sch sci scm scpt scrbl scss scxml self sexp sh sh-session shader shen sig sj sjs sl sld slim sls \
    sma smali sml smt smt2 sol sp sparql spin sps sqf sql srdf ss ssjs st stan sthlp ston storyboard sttheme sty \
    styl sublime-snippet sublime-syntax sv svg svh swift syntax t tab tac targets tcc tcl tcsh tea tex textile tf \
    thor thrift thy tm tmcommand tml tmlanguage tmpreferences tmsnippet tmtheme tmux toc toml tool topojson tpl tpp \
    ts tsx ttl tu twig txl txt uc udf ui unity uno upc ur urdf urs ux vala vapi vark vb vba vbhtml vbproj vbs vcl \
    vcxproj veo vert vh vhd vhdl vhf vhi vho vhost vhs vht vhw vim viw volt vrx vsh vshader vssettings vue vxml w \
    wat watchr webidl weechatlog wiki wisp wl wlt wlua wsdl wsf wsgi wxi wxl wxs x x10 x3d xacro xaml xc xht xhtml \
    xi xib xlf xliff xm xmi xml xojo_code xojo_menu xojo_report xojo_script xojo_toolbar xojo_window xpl xproc xproj \
    xpy xq xql xqm xquery xqy xrl xs xsd xsjs xsjslib xsl xslt xsp-config xtend xul y yacc yaml yaml-tmlanguage yang \
    yap yml yrl yy zcml zep zig zimpl zmpl zone zpl zsh";

fn table(compat: bool) -> Value {
    let extensions: Vec<&str> = EXTENSIONS.split_whitespace().collect();
    json!({
        "allowed-extension": { "allow": extensions, "names": ["Dockerfile", "Makefile"] },
        "extension": { "deny": ["json", "yml", "xml", "html", "yaml"], "drop-share": 0.5 },
        "change-size": { "maximum": 99_999, "minimum": 1 },
        "change-lines": { "minimum": 3, "maximum": 199, "from-top": compat, "drop-share": 0.9 },
        "subject-words": { "minimum": 5, "maximum": u32::MAX, "drop-share": 0.5 },
        "subject-word-length": { "limit": 20.0 },
        "subject-list": {},
        "subject-version": {},
    })
}
