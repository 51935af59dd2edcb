package pages

import (
	"path"
	"strings"
)

// octets is the media type of what the table does not know. A browser offers it for
// download.
const octets = "application/octet-stream"

// mediaTypes are the types of files by the ending of their name. The table is ours
// and fixed: the operating system's own differs from machine to machine, and
// "nosniff" turns a wrong type into a broken page. Text is UTF-8, as bundlers write it.
// Sources: the IANA registry, RFC 9239 (JavaScript), RFC 8081 (fonts).
var mediaTypes = map[string]string{
	"html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8", "xhtml": "application/xhtml+xml",
	"js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8", "cjs": "text/javascript; charset=utf-8",
	"css": "text/css; charset=utf-8", "wasm": "application/wasm", "map": "application/json",
	"json": "application/json", "webmanifest": "application/manifest+json", "jsonld": "application/ld+json", "geojson": "application/geo+json",
	"txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8", "vtt": "text/vtt; charset=utf-8",
	"ics": "text/calendar; charset=utf-8", "xml": "text/xml; charset=utf-8", "xsl": "text/xml; charset=utf-8", "rss": "application/rss+xml", "atom": "application/atom+xml",
	"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
	"avif": "image/avif", "apng": "image/apng", "ico": "image/vnd.microsoft.icon", "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "jxl": "image/jxl",
	"woff2": "font/woff2", "woff": "font/woff", "ttf": "font/ttf", "otf": "font/otf", "eot": "application/vnd.ms-fontobject",
	"mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "weba": "audio/webm",
	"mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
	"m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml", "glb": "model/gltf-binary", "gltf": "model/gltf+json",
	"pdf": "application/pdf", "zip": "application/zip", "gz": "application/gzip",
}

// mediaType is the type of a file by its name. The ending has no case.
func mediaType(name string) string {
	if isNamedJSON(name) {
		return "application/json"
	}
	if kind := mediaTypes[strings.ToLower(ending(name))]; kind != "" {
		return kind
	}
	return octets
}

// ending is what stands behind the last dot of a file's name; empty without one.
func ending(name string) string {
	return strings.TrimPrefix(path.Ext(name), ".")
}

// isDocument reports whether a browser may run scripts out of a file of this type when
// it is opened by itself: HTML, and XML in all its forms.
func isDocument(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	return kind == "text/html" || kind == "text/xml" || strings.HasSuffix(kind, "+xml")
}
