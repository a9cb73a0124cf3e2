//! Drops files whose name says that they hold no source: images, archives, binaries, fonts, minified code.
//!
//! # Why
//! A binary file costs a read and a decoding attempt before its first NUL byte gives it away; its name costs nothing.
//! Minified code and source maps are text, but no person wrote them.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::extension::Config};
//!
//! let dropped = |path| Sample::path(path).dropped_by(Config::default());
//! assert!(dropped("assets/logo.PNG")?.is_some());
//! assert!(dropped("dist/app.min.js")?.is_some());
//! assert!(dropped("src/app.js")?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! Ours. The Stack v1 and v2 drop binaries by content and exclude extensions after looking at samples by hand, but
//! publish no list of binary formats; this one holds formats that are never text, plus `min.*` and `*.map`. Extensions that a
//! language of Linguist's has as well are left out: `ts`, `mo` (Modelica), `pkl` (Pkl), `com` (DCL).

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule};

/// Settings of `extension`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Extensions that are dropped, without the leading dot, in any case; `min.js` means the last two.
    pub deny: Vec<String>,
    /// Further extensions that are dropped: for recipes that want the list above and some more.
    pub also_deny: Vec<String>,
    /// Extensions that are kept although they are on a list.
    pub allow: Vec<String>,
}

/// Formats by kind, separated by white space.
const DENIED: [&str; 8] = [
    // images
    "avif bmp cr2 cur dds exr gif heic icns ico indd jfif jp2 jpeg jpg jxl ktx nef pcx png psd tga tif tiff \
     webp xcf",
    // sound and video
    "3gp aac aif aiff amr avi flac flv m4a m4v mid midi mkv mov mp3 mp4 mpeg mpg oga ogg ogv opus wav webm wma wmv",
    // fonts
    "eot otf pfb pfm ttc ttf woff woff2",
    // archives and packages
    "7z apk bz2 cab cpio crx deb dmg egg gz gzip ipa iso jar lz lz4 lzma nupkg rar rpm tar tbz tgz txz vsix war whl xpi \
     xz z zip zst",
    // programs, objects, bytecode
    "a beam bin class dex dll dylib elc elf exe hi ko lib o ocx pdb pyc pyd pyo rlib rmeta so swf sys wasm",
    // documents and databases
    "accdb db db3 doc docx dotx fla keynote ldf mdb mdf odp ods odt pdf pps ppt pptx sqlite sqlite3 xls xlsb \
     xlsm xlsx",
    // models, arrays, scientific data, game assets
    "arrow ckpt feather fbx gguf h5 hdf5 joblib mat npy npz onnx parquet pickle pth pt rda rds safetensors tflite \
     tfrecord uasset umap unitypackage",
    // minified code and source maps
    "min.css min.html min.js min.mjs css.map js.map mjs.map",
];

impl Default for Config {
    fn default() -> Self {
        let deny = DENIED
            .iter()
            .flat_map(|kind| kind.split_whitespace())
            .map(str::to_owned)
            .collect();
        Self {
            deny,
            also_deny: Vec::new(),
            allow: Vec::new(),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "extension";
    const SUMMARY: &'static str = "drops binaries, archives, media, fonts and minified code, by name";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["path"];
    type Check = Denied;

    fn build(self) -> Result<Denied> {
        for (key, list) in [
            ("deny", &self.deny),
            ("also-deny", &self.also_deny),
            ("allow", &self.allow),
        ] {
            if let Some(entry) = list.iter().find(|entry| !is_extension(entry)) {
                return Err(Error::config(format!("`{key}`: `{entry}` is not an extension"))
                    .hint("write `png` or `min.js`: no leading dot, at most one dot inside"));
            }
        }
        let allowed = lower(&self.allow);
        let mut denied: Vec<String> = lower(&self.deny).into_iter().chain(lower(&self.also_deny)).collect();
        denied.retain(|entry| !allowed.contains(entry));
        denied.sort_unstable();
        denied.dedup();
        Ok(Denied(denied))
    }
}

fn is_extension(entry: &str) -> bool {
    let parts = entry.split('.');
    parts.clone().count() <= 2 && parts.into_iter().all(|part| !part.is_empty()) && !entry.contains('/')
}

fn lower(list: &[String]) -> Vec<String> {
    list.iter().map(|entry| entry.to_ascii_lowercase()).collect()
}

/// The running form: sorted, in lower case.
pub struct Denied(Vec<String>);

impl Check for Denied {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let name = file.file_name();
        for (dot, _) in name.rmatch_indices('.').take(2).filter(|(dot, _)| *dot > 0) {
            let extension = name[dot + 1..].to_ascii_lowercase();
            if self.0.binary_search(&extension).is_ok() {
                return Verdict::Drop(Reason::entry(extension));
            }
        }
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    fn entry(path: &str, config: Config) -> Option<Reason> {
        Sample::path(path).dropped_by(config).expect("valid settings")
    }

    #[test]
    fn the_last_one_or_two_parts_of_the_name_decide() {
        let cases = [
            ("a.png", Some("png")),
            ("a/B.MIN.JS", Some("min.js")),
            ("a.min.js.txt", None),
            ("min.js", None),
            ("png", None),
            (".png", None),
            ("png/readme", None),
            ("a.tar.gz", Some("gz")),
            ("x.min.js.map", Some("js.map")),
            ("main.rs", None),
            ("a.", None),
            ("", None),
        ];
        for (path, expected) in cases {
            assert_eq!(entry(path, Config::default()), expected.map(Reason::entry), "{path}");
        }
    }

    #[test]
    fn lists_can_be_changed() {
        let config = Config {
            also_deny: vec!["CSV".into()],
            allow: vec!["Png".into()],
            ..Config::default()
        };
        assert!(entry("a.csv", config.clone()).is_some());
        assert!(entry("a.png", config).is_none());
        for nonsense in [".png", "", "a.b.c", "a/b"] {
            assert!(
                Config {
                    deny: vec![nonsense.into()],
                    ..Config::default()
                }
                .build()
                .is_err(),
                "{nonsense}"
            );
        }
    }
}
