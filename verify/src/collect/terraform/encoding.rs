//! In which encoding a document was written: Windows' shells do not write what a program prints as it is.

/// How a document comes to be UTF-8 there too.
pub(super) const COMMANDS: &[&str] = &[
    "cmd /c \"terraform show -json plan > region.json\"",
    "terraform show -json plan | Out-File -Encoding utf8NoBOM region.json",
];

/// What is wrong with how a text is encoded; nothing where it may be UTF-8.
pub(super) fn problem(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        // PowerShell 5 redirects as UTF-16.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => {
            Some("it is UTF-16, as PowerShell writes what is redirected; Terraform prints UTF-8, and that is read")
        }
        [0xef, 0xbb, 0xbf, ..] => {
            Some("it begins with a byte order mark (BOM), which is no JSON: PowerShell's `-Encoding utf8` writes one")
        }
        _ => None,
    }
}
