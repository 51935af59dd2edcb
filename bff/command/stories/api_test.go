package stories_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Secrets of the scripts; none may be printed.
const (
	code         = "code-MARKED-1"
	clientSecret = "client-secret-MARKED"
	apiKey       = "apikey-MARKED"
	accessToken  = "acc-MARKED-0123456789"
	refreshToken = "ref-MARKED-0123456789"
	mfaToken     = "mfa-MARKED"
	cookie       = "cookie-MARKED"
)

// newAPI answers with secrets wherever an API could put them.
func newAPI(e *testscript.Env) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in map[string]any
		_ = json.Unmarshal(body, &in)
		good := func() {
			w.Header().Set("Set-Cookie", "rt="+refreshToken+"; Path=/; HttpOnly")
			w.Header().Set("Client", "client-MARKED")
			w.Header().Set("X-Token", accessToken)
			w.Header().Set("Location", "/x?"+accessToken)
			fmt.Fprintf(w, `{"token":%q,"ms":900000,"echo":%q,"user":{"id":"u1","email":%q,"pin":"77-MARKED"}}`, accessToken, r.Header.Get("Authorization"), fmt.Sprint(in["who"]))
		}
		switch r.URL.Path {
		case "/login":
			switch in["who"] {
			case "mfa":
				fmt.Fprintf(w, `{"mfa_token":%q}`, mfaToken)
			case "locked":
				w.WriteHeader(403)
				fmt.Fprintf(w, `{"error":{"code":"LOCKED","message":"no entry with %s and %s"}}`, in["client_secret"], strings.ReplaceAll(fmt.Sprint(in["password"]), `"`, `\"`))
			case "odd":
				fmt.Fprintf(w, `{"data":{"accessToken":%q,"refreshToken":%q,"expiresIn":3600000,"member":{"uid":7,"email":"x"}}}`, accessToken, refreshToken)
			case "half":
				w.WriteHeader(403)
				fmt.Fprintf(w, `{"error":"second step","twoFactorToken":%q}`, mfaToken)
			case "unrenewed":
				w.Header().Set("Client", "client-MARKED")
				fmt.Fprintf(w, `{"token":%q,"ms":900000,"user":{"id":1}}`, accessToken)
			case "nobody":
				fmt.Fprintf(w, `{"token":%q,"ms":900000,"member":{"uid":7,"email":"<x>"}}`, accessToken)
			case "strange":
				w.WriteHeader(418)
				fmt.Fprintf(w, `{"errors":[{"extensions":{"code":"NOT_TODAY"}}],"key":%q,"hint":%q}`, apiKey, refreshToken)
			case "page":
				w.WriteHeader(500)
				fmt.Fprintf(w, "<html>%s %s</html>", in["password"], clientSecret)
			case "wrong":
				w.WriteHeader(401)
			default:
				good()
			}
		case "/code":
			if in["code"] != code {
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"error":{"code":"WRONG","you_said":%q}}`, in["code"])
				return
			}
			good()
		case "/register":
			if in["who"] == "unconfirmed" {
				w.WriteHeader(202)
				return
			}
			good()
		case "/switch":
			if in["id"] == "9" {
				w.WriteHeader(403)
				return
			}
			fmt.Fprintf(w, `{"token":%q}`, accessToken+"-3")
		case "/refresh":
			if in["refresh_token"] != refreshToken {
				w.WriteHeader(401)
			}
			fmt.Fprintf(w, `{"token":%q}`, accessToken+"-2")
		default:
			w.Header().Set("Set-Cookie", "a="+cookie)
			w.WriteHeader(204)
		}
	}))
	e.Defer(s.Close)
	return s
}
