package trial

import (
	"net/http"
	"strings"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// hiddenValue stands for what may open something.
const hiddenValue = "…"

// urlRequest tells a request to a server that is named by its whole URL, a provider.
func (t *Trial) urlRequest(q signin.URLRequest, h http.Header) {
	for _, value := range q.Header["Authorization"] {
		_, secret, _ := strings.Cut(value, " ")
		t.learnConstant(secret)
	}
	form := map[string]any{}
	for name, values := range q.Form {
		form[name] = values[0]
		if !isShownConstant(name) && !isShownParameter(name) {
			t.learnConstant(values[0])
			form[name] = hiddenValue
		}
	}
	bare, _, _ := strings.Cut(q.URL, "?")
	t.line("> %s %s", q.Method, bare)
	t.fields("> ", "and, as always:", h, mayMatter)
	if q.Form != nil {
		t.block("> ", "form: ", mapping.Encode(form))
	}
}

// isShownParameter knows parameters of OAuth 2.0 that open nothing.
func isShownParameter(name string) bool {
	switch name {
	case "client_id", "redirect_uri", "response_type", "response_mode", "code_challenge_method", "prompt", "max_age", "acr_values", "client_assertion_type":
		return true
	}
	return false
}
