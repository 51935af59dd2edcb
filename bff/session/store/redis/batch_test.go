package redis_test

import (
	"testing"

	"coatcheck/bff/session/store/redis"
)

// The fear: two faults of the program in questions to Redis, and no question is asked any
// more; or those who shared the question hear that there is nothing, and are signed out.
func TestFaultInAQuestion(t *testing.T) {
	if faults := redis.AskBroken(5); faults != 5 {
		t.Errorf("%d of 5 questions were asked", faults)
	}
	if woken, unknown := redis.ShareBroken(); !woken || !unknown {
		t.Errorf("whoever shares the question is woken: %t, and hears that nothing is known: %t", woken, unknown)
	}
}
