package configs

import "coatcheck/configs/keypath"

// AsLogin is the way as the sign-in that it is like.
func (w *Way) AsLogin() *Login {
	l := &Login{Timeout: w.Timeout, Request: w.Request, Rejected: w.Rejected, Credential: w.Credential, User: w.User, Steps: w.Steps, Presumed: w.Presumed}
	if w.Answers != nil {
		l.Answers = *w.Answers
	}
	return l
}

// FieldNames are the names of the way's fields, without the mark of optional ones.
func (w *Way) FieldNames() []string { return fieldNames(w.Fields) }

// AllWays are the upstream's ways and exchanges, by the key path below the upstream.
func (u *Upstream) AllWays() map[string]*Way {
	all := map[string]*Way{}
	for name, w := range u.Ways {
		all[keypath.Child("ways", name)] = w
	}
	for name, w := range u.Exchanges {
		all[keypath.Child("exchanges", name)] = w
	}
	return all
}
