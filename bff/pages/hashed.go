package pages

import (
	"regexp"
	"slices"
	"strings"
)

// isHashed reports whether a file's name holds a hash of its content, so that a
// browser may keep it forever. A name that is kept by mistake cannot be called back
// for a year, and one that is not costs a question: in doubt it is not.
//
// What tools write, by their defaults:
//
//	Vite, Rollup, Rolldown, Astro, SvelteKit, Nuxt   8 of base64url   index-BX3kq2Lh.js, start.BX3kq2Lh.js, BX3kq2Lh.js
//	esbuild, Angular 17 and later                    8 of base32      chunk-5WXSPKQX.js
//	webpack, Vue CLI, Create React App, Rspack       8, 10, 16, 20 or 32 hex    main.8f3e1c90.chunk.js, 6ce24c58023cc2f8fd88.png
//	Parcel, Workbox                                  8 hex            index.8f3e1c90.js
//	Next.js                                          16 hex, later 13 of base38, below _next/static/
//	Sprockets                                        64 hex           application-908e25f4….js
func isHashed(name string) bool {
	if slices.ContainsFunc(hashedFolders, func(folder string) bool { return strings.HasPrefix("/"+name, folder) || strings.Contains(name, folder) }) {
		return true
	}
	base := name[strings.LastIndexByte(name, '/')+1:]
	stem, ext, dot := cutLast(strings.TrimSuffix(base, ".map"), '.')
	if !dot {
		return false
	}
	stem = tails.ReplaceAllString(stem, "")
	code := slices.Contains(codeEndings, ext)
	return isHexHash(afterLast(stem, ".-_")) || isBase32Hash(afterLast(stem, ".-"), code) || isBase64Hash(stem, code, isBundle(name))
}

// hashedFolders hold nothing that changes, by the word of the tools that make them.
var hashedFolders = []string{"/_next/static/", "/_app/immutable/"}

// codeEndings are those of files that hardly anybody names by hand beside a bundler.
var codeEndings = []string{"js", "mjs", "css", "wasm"}

// isBundle reports whether a file is in a folder that Vite and its kin make.
func isBundle(name string) bool {
	folder, _, _ := cutLast(name, '/')
	return slices.Contains([]string{"assets", "_nuxt", "_astro"}, afterLast(folder, "/"))
}

// tails stand behind the hash in some names: main.8f3e1c90.chunk.js, e4af272ccee01ff0-s.p.woff2.
var tails = regexp.MustCompile(`(\.chunk|\.bundle|\.module|\.min|-s\.p|-s)$`)

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func afterLast(s, separators string) string { return s[strings.LastIndexAny(s, separators)+1:] }

var (
	hexHash    = regexp.MustCompile(`^([0-9a-f]{8}|[0-9a-f]{10}|[0-9a-f]{16}|[0-9a-f]{20}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$`)
	base32Hash = regexp.MustCompile(`^[A-Z2-7]{8}$`)
	base64Hash = regexp.MustCompile(`^[A-Za-z0-9_-]{8}$`)
	// A date may be hexadecimal, too: 20241001, 2024dec1, 01feb2024a.
	dated = regexp.MustCompile(`(19|20)\d\d((0[1-9]|1[0-2])([0-2]\d|3[01])|dec|feb)|(dec|feb)(19|20)\d\d`)
)

// isHexHash knows hexadecimal hashes: letters and digits both, and no date.
func isHexHash(s string) bool {
	return hexHash.MatchString(s) && strings.ContainsAny(s, "0123456789") && strings.ContainsAny(s, "abcdef") && !dated.MatchString(s)
}

// isBase32Hash knows those of esbuild, which hold no 0, 1, 8 and 9. VERSION2 is a word
// with a number and not one of them, and only names of code may begin with their one number.
func isBase32Hash(s string, code bool) bool {
	need := 3
	if code {
		need = 2
	}
	return base32Hash.MatchString(s) && pieces(s) >= need && !numbered.MatchString(s)
}

var numbered = regexp.MustCompile(`^[A-Z]+[0-9]+$`)

// isBase64Hash knows those of Rollup and its kin: eight characters, capitals and small
// letters both, in more pieces than words and numbers of that length have. They may
// hold "-" and "_" themselves, which only names of code are trusted with.
func isBase64Hash(stem string, code, bundle bool) bool {
	if len(stem) < 8 {
		return false
	}
	hash, before := stem[len(stem)-8:], stem[:len(stem)-8]
	need := 4
	if code && bundle && strings.ContainsAny(hash, "0123456789") {
		need = 3
	}
	return base64Hash.MatchString(hash) &&
		(before == "" && code || strings.HasSuffix(before, "-") || strings.HasSuffix(before, ".")) &&
		(code || !strings.ContainsAny(hash, "-_")) &&
		strings.IndexFunc(hash, isCapital) >= 0 && strings.IndexFunc(hash, isSmall) >= 0 && pieces(hash) >= need
}

func isCapital(r rune) bool { return r >= 'A' && r <= 'Z' }
func isSmall(r rune) bool   { return r >= 'a' && r <= 'z' }
func isDigit(r rune) bool   { return r >= '0' && r <= '9' }

// pieces counts the words, numbers and marks that a name is made of: "Chapter1" has
// two, "myWidget" two, "BX3kq2Lh" five.
func pieces(s string) (n int) {
	var last rune
	for _, c := range s {
		same := isCapital(c) && isCapital(last) || isSmall(c) && (isSmall(last) || isCapital(last)) || isDigit(c) && isDigit(last)
		if !same {
			n++
		}
		last = c
	}
	return n
}
