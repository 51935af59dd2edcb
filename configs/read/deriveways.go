package read

import (
	"net/http"

	"coatcheck/configs"
)

// deriveWay gives a way what it does not name: the sign-in's own. The steps of its own
// take after the way.
func deriveWay(w *configs.Way, l *configs.Login) {
	deriveMethod(w.Request, http.MethodPost)
	if l == nil {
		l = &configs.Login{}
	}
	if w.Rejected == nil {
		w.Rejected, w.Presumed = l.Rejected, l.Presumed
	}
	if w.Answers == nil {
		w.Answers = &l.Answers
	}
	if w.Credential == nil {
		w.Credential = l.Credential
	}
	if w.User == nil {
		w.User = l.User
	}
	if w.Steps == nil {
		w.Steps = l.Steps
		return
	}
	for _, s := range w.Steps {
		deriveStep(s, w.AsLogin())
	}
}
