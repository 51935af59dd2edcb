package session

import (
	"strconv"
	"strings"

	"coatcheck/bff/session/store"
	"coatcheck/bff/session/ticket"
)

// Events between replicas are words with a space between: the kind, who sent
// it, the session's hash and, for an ending, the reason. They carry no token,
// and nothing depends on their arrival.
const (
	eventEnded   = "ended"
	eventRenewed = "renewed"
	eventMoved   = "moved" // it goes on under another hash, which stands behind
	eventFree    = "free"  // a lease was given back without a new credential
)

func (k *knowledge) note(kind string, h hash, more string) store.Note {
	return store.Note{Channel: k.channel, Payload: k.dialect() + kind + " " + k.replica + " " + h.Hex() + " " + more}
}

// dialect begins the words of events about other records than sessions, which other
// Managers do not understand, and ignore.
func (k *knowledge) dialect() string {
	if k.kind == kindOfSessions {
		return ""
	}
	return k.kind + ":"
}

func (k *knowledge) endedNote(h hash, reason Reason) store.Note {
	return k.note(eventEnded, h, string(reason))
}

func (k *knowledge) renewedNote(h hash, generation uint64) store.Note {
	return k.note(eventRenewed, h, strconv.FormatUint(generation, 10))
}

// hear acts on an event. What it does not understand it ignores.
func (k *knowledge) hear(payload string) {
	defer k.contain()
	words := strings.Split(payload, " ")
	if len(words) != 4 || words[1] == k.replica {
		return
	}
	h, ok := ticket.ParseHash(words[2])
	if !ok {
		return
	}
	word, ours := strings.CutPrefix(words[0], k.dialect())
	if !ours {
		return
	}
	switch word {
	case eventEnded:
		k.ended(h, reasonOf(words[3]))
	case eventMoved:
		if next, ok := ticket.ParseHash(words[3]); ok {
			k.moved(h, next)
		}
	case eventRenewed:
		k.near.Drop(h)
		k.wakeUps.Wake(h)
	case eventFree:
		k.wakeUps.Wake(h)
	}
}

// lookAgain asks the maintenance to look whether something that ended came back.
func (k *knowledge) lookAgain() {
	select {
	case k.returning <- struct{}{}:
	default:
	}
}
