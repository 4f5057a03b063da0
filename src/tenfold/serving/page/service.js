// Questions to the service. Only what is on the sheet now matters: while one question is on its way, the newest
// of those that come meanwhile waits, and the others are dropped.

const MAX_WAIT_SECONDS = 5;

export class Refused extends Error {}

// The token comes behind the # of the address, which no browser sends anywhere; then it is taken out of sight.
const token = (() => {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
})();

export class Service {
  // onAnswer(question, answer) and onFailure(question, sentence) are called for the newest question only.
  constructor({ onAnswer, onFailure }) {
    this.onAnswer = onAnswer;
    this.onFailure = onFailure;
    this.newest = null;
    this.asking = false;
  }

  // question: { path, picture: () => Promise<Blob> }; null drops what is still to be answered.
  ask(question) {
    this.newest = question;
    if (!this.asking) this.askNewest();
  }

  async askNewest() {
    this.asking = true;
    while (this.newest && !this.newest.answered) {
      const question = this.newest;
      question.answered = true;
      try {
        const answer = await post(question.path, await question.picture(), () => question === this.newest);
        if (answer && question === this.newest) this.onAnswer(question, answer);
      } catch (error) {
        if (question === this.newest) this.onFailure(question, sentence(error));
      }
    }
    this.asking = false;
  }
}

// The answer as a value; null when it is not wanted any more.
async function post(path, picture, wanted) {
  const headers = { "Content-Type": picture.type };
  if (token) headers.Authorization = `Bearer ${token}`;
  for (;;) {
    const response = await fetch(path, { method: "POST", headers, body: picture });
    if (response.ok) return response.json();
    if (response.status !== 503 || !wanted()) throw new Refused(await detail(response));
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(seconds, MAX_WAIT_SECONDS)));
    if (!wanted()) return null;
  }
}

async function detail(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The service answered with ${response.status}.`;
  }
}

function sentence(error) {
  if (error instanceof Refused) return error.message;
  return "The service does not answer. Is tenfold serve still running?";
}
