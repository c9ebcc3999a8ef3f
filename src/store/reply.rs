//! One answer from the writer to whoever waits for it.
//!
//! A channel would do, but it spins before it sleeps, and a commit takes longer than any
//! spinning: under load that is a tenth of the machine.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Where the answer is put.
struct Place<T> {
    state: Mutex<State<T>>,
    came: Condvar,
}

/// How far it is.
enum State<T> {
    Open,
    Answered(T),
    /// Whoever was to answer is gone.
    Lost,
}

impl<T> Place<T> {
    /// Puts the state that ends the wait.
    fn put(&self, state: State<T>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.came.notify_one();
    }
}

/// The side that answers; dropped without an answer it tells so.
pub(in crate::store) struct Answerer<T>(Option<Arc<Place<T>>>);

/// The side that waits.
pub(in crate::store) struct Answer<T>(Arc<Place<T>>);

/// Makes both sides.
pub(in crate::store) fn reply<T>() -> (Answerer<T>, Answer<T>) {
    let place = Arc::new(Place {
        state: Mutex::new(State::Open),
        came: Condvar::new(),
    });
    (Answerer(Some(Arc::clone(&place))), Answer(place))
}

impl<T> Answerer<T> {
    /// Answers; a caller that is gone does not mind.
    pub(in crate::store) fn answer(mut self, answer: T) {
        if let Some(place) = self.0.take() {
            place.put(State::Answered(answer));
        }
    }
}

impl<T> Drop for Answerer<T> {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            place.put(State::Lost);
        }
    }
}

impl<T> Answer<T> {
    /// Waits for the answer; none where nobody will give it any more.
    pub(in crate::store) fn wait(self) -> Option<T> {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |state: &mut State<T>| matches!(state, State::Open);
        let waited = self.0.came.wait_while(state, is_open);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Lost) {
            State::Answered(answer) => Some(answer),
            State::Open | State::Lost => None,
        }
    }
}
