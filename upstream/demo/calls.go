package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of what one call may ask for.
const (
	maxSlow   = 30 * time.Second
	maxUpload = 64 << 20 // bytes
)

func (a *api) me(w http.ResponseWriter, _ *http.Request, c caller) {
	writeJSON(w, http.StatusOK, c.person.profile())
}

// echo shows the request as it arrived here. The token is the one thing left
// out: the browser, which reads this, must not have it.
func (a *api) echo(w http.ResponseWriter, r *http.Request, c caller) {
	body, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxUpload))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "body_too_large")
		return
	}
	headers := map[string][]string{"Host": {r.Host}}
	for name, values := range r.Header {
		headers[name] = values
	}
	headers["Authorization"] = []string{"Bearer [token " + c.fingerprint + "]"}
	writeJSON(w, http.StatusOK, map[string]any{
		"method": r.Method, "path": r.URL.EscapedPath(), "query": r.URL.RawQuery, "protocol": r.Proto,
		"headers": withoutToken(headers, c.token), "cookie_arrived": r.Header.Get("Cookie") != "", "body_bytes": body,
		"token": map[string]any{"fingerprint": c.fingerprint, "expires_in": c.expiresIn, "refreshes": c.refreshes},
		"user":  c.person.profile(),
	})
}

// withoutToken takes the token out of every value, wherever a configuration may
// have put it besides Authorization.
func withoutToken(headers map[string][]string, token string) map[string][]string {
	for name, values := range headers {
		clean := make([]string, len(values))
		for i, v := range values {
			clean[i] = strings.ReplaceAll(v, token, "[token "+fingerprint(token)+"]")
		}
		headers[name] = clean
	}
	return headers
}

func (a *api) slow(w http.ResponseWriter, r *http.Request, _ caller) {
	wait := min(time.Duration(number(r, "ms", 1000, 0, int(maxSlow/time.Millisecond)))*time.Millisecond, maxSlow)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		writeJSON(w, http.StatusOK, map[string]any{"waited_ms": wait.Milliseconds()})
	case <-r.Context().Done():
	}
}

func (a *api) fail(w http.ResponseWriter, r *http.Request, _ caller) {
	status, err := strconv.Atoi(r.PathValue("status"))
	if err != nil || status < 400 || status > 599 {
		refuse(w, http.StatusNotFound, "not_found")
		return
	}
	writeJSON(w, status, map[string]any{"error": "as_you_asked", "message": "The API answers " + strconv.Itoa(status) + " because you asked it to."})
}

func (a *api) upload(w http.ResponseWriter, r *http.Request, _ caller) {
	sum := sha256.New()
	n, err := io.Copy(sum, http.MaxBytesReader(w, r.Body, maxUpload))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "body_too_large")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"bytes": n, "sha256": hex.EncodeToString(sum.Sum(nil)), "content_type": r.Header.Get("Content-Type")})
}

// document answers with HTML whose script would speak for the person if it ran
// on the frontend's origin. Through Coatcheck it does not run.
func (a *api) document(w http.ResponseWriter, _ *http.Request, _ caller) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, documentHTML)
}

const documentHTML = `<!doctype html>
<html lang="en"><title>A document from the API</title>
<style>body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>A document from the API</h1>
<p id="verdict">Its script did not run: Coatcheck keeps documents of the API apart from your pages.</p>
<script>
document.getElementById("verdict").textContent = "Its script ran on this origin, and could call the API in your name."
</script>
</html>
`

// number reads a query parameter: whole, between least and most, or else usual.
func number(r *http.Request, name string, usual, least, most int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil {
		n = usual
	}
	return min(max(n, least), most)
}
