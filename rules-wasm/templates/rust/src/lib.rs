mod gatehouse;

use gatehouse::{config, serve, Answer, Json};

#[no_mangle]
pub extern "C" fn evaluate() -> i32 {
    serve(look)
}

/// Finds a phrase in the texts of the message. With an action the gateway does that to each place; without, the message is blocked.
fn look(input: Json) -> Answer {
    let mut answer = Answer::new();
    let Some(phrase) = config("phrase").filter(|phrase| !phrase.is_empty()) else {
        return answer.undecided("The phrase to look for could not be read.");
    };
    let phrase = phrase.to_ascii_lowercase();
    for (number, value) in input.get("texts").items().enumerate() {
        let text = value.text().unwrap_or_default().to_ascii_lowercase();
        for (start, found) in text.match_indices(&phrase) {
            answer.find("phrase", number, start, start + found.len());
        }
    }
    if answer.has_findings() {
        return answer.block("This message holds a phrase that must not pass here.");
    }
    answer.pass()
}
