package demo

import (
	"encoding/json"
	"mime"
	"net/http"
)

// maxBody bounds JSON bodies, in bytes.
const maxBody = 8 << 10

// writeJSON answers with v. Everything here is somebody's own, so nothing of it
// is to be stored on the way.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has left: nobody to tell
}

// refuse answers with an error code.
func refuse(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]any{"error": code})
}

// readJSON decodes the body into v, or answers 400, 413 or 415 and returns false.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "json_wanted")
		return false
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(v)
	if _, tooLarge := err.(*http.MaxBytesError); tooLarge {
		refuse(w, http.StatusRequestEntityTooLarge, "body_too_large")
		return false
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_json")
		return false
	}
	return true
}
