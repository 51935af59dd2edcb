package session

import (
	"strconv"
	"strings"
)

// Messages between replicas are words with a space between: the kind, who sent
// it, the session's hash and, for an ending, the reason. They carry no token,
// and nothing depends on their arrival.
const (
	newsEnded   = "ended"
	newsRenewed = "renewed"
	newsFree    = "free" // a lease was given back without a new credential
)

func (m *Manager) note(kind string, h hash, more string) Note {
	return Note{Channel: m.channel, Payload: kind + " " + m.replica + " " + h.hex() + " " + more}
}

func (m *Manager) endedNote(h hash, reason Reason) Note {
	return m.note(newsEnded, h, string(reason))
}

func (m *Manager) renewedNote(h hash, generation uint64) Note {
	return m.note(newsRenewed, h, strconv.FormatUint(generation, 10))
}

// hear takes in a message. What it does not understand it ignores.
func (m *Manager) hear(payload string) {
	defer m.contain()
	words := strings.Split(payload, " ")
	if len(words) != 4 || words[1] == m.replica {
		return
	}
	h, ok := parseHash(words[2])
	if !ok {
		return
	}
	switch words[0] {
	case newsEnded:
		m.ended(h, reasonOf(words[3]))
	case newsRenewed:
		m.near.drop(h)
		m.notices.tell(h)
	case newsFree:
		m.notices.tell(h)
	}
}

// listen runs in a goroutine of the Manager until Close.
func (m *Manager) listen() {
	m.store.Listen(m.closing, m.channel, Listener{
		Message:     m.hear,
		Gap:         func() { m.near.flush(); m.endEverythingAgain() },
		Reconnected: m.endEverythingAgain,
	})
}

// endEverythingAgain asks the house-keeper to look whether something that ended
// came back.
func (m *Manager) endEverythingAgain() {
	select {
	case m.reconnect <- struct{}{}:
	default:
	}
}
