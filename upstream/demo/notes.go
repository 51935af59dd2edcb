package demo

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds of a person's notes: how many (the oldest makes room) and how long, in
// characters.
const (
	maxNotes    = 50
	maxNoteText = 500
)

// notebook keeps every person's notes. It is bounded by the list of people.
type notebook struct {
	mu       sync.Mutex
	last     int
	byPerson map[string][]note
}

type note struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

func newNotebook() *notebook { return &notebook{byPerson: map[string][]note{}} }

func (n *notebook) list(person string) []note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]note{}, n.byPerson[person]...)
}

func (n *notebook) add(person, text string, at time.Time) note {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	added := note{ID: "n-" + strconv.Itoa(n.last), Text: text, CreatedAt: at.UTC().Truncate(time.Second)}
	notes := append(n.byPerson[person], added)
	n.byPerson[person] = slices.Clone(notes[max(0, len(notes)-maxNotes):])
	return added
}

func (n *notebook) remove(person, id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := len(n.byPerson[person])
	n.byPerson[person] = slices.DeleteFunc(n.byPerson[person], func(x note) bool { return x.ID == id })
	return len(n.byPerson[person]) < before
}

func (a *api) listNotes(w http.ResponseWriter, _ *http.Request, c caller) {
	writeJSON(w, http.StatusOK, map[string]any{"notes": a.notes.list(c.person.ID)})
}

func (a *api) addNote(w http.ResponseWriter, r *http.Request, c caller) {
	var in struct{ Text string }
	if !readJSON(w, r, &in) {
		return
	}
	text := strings.TrimSpace(in.Text)
	if text == "" || utf8.RuneCountInString(text) > maxNoteText {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": "invalid_note", "max_characters": maxNoteText})
		return
	}
	writeJSON(w, http.StatusCreated, a.notes.add(c.person.ID, text, a.now()))
}

func (a *api) deleteNote(w http.ResponseWriter, r *http.Request, c caller) {
	if !a.notes.remove(c.person.ID, r.PathValue("id")) {
		refuse(w, http.StatusNotFound, "no_such_note")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
