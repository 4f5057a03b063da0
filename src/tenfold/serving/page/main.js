// Joins the sheet, the service and the answer; takes in pictures that are dropped, pasted or chosen.

import { say, showDigit, showFailure, showLines, showMode, showNothing, showReading } from "./answer.js";
import { Service } from "./service.js";
import { Sheet } from "./sheet.js";

const PAUSE_MS = 350;
const ONE_PIXELS = 400;
const SEVERAL_PIXELS = 1200;
// A picture that is larger is most often a photo of more than one digit.
const ONE_DIGIT_PIXELS = 320;
// What is larger is made smaller here, so that a photo need not be sent whole over a weak network.
const MAX_PHOTO_SIDE = 3000;
const MAX_PHOTO_BYTES = 8e6;
// What the service opens itself; anything else that the browser can show is sent as PNG.
const KNOWN = ["image/png", "image/jpeg", "image/bmp", "image/gif", "image/webp", "image/tiff"];

const byId = (id) => document.getElementById(id);
const modes = document.querySelectorAll("input[name=mode]");
const mode = () => document.querySelector("input[name=mode]:checked").value;

const service = new Service({
  onAnswer: (question, answer) => {
    if (question.mode === "one") showDigit(answer);
    else sheet.mark(showLines(answer));
  },
  onFailure: (_, sentence) => showFailure(sentence),
});

const sheet = new Sheet(byId("sheet"), { onChange: ask, say });

let pause = null;

function ask() {
  byId("undo").disabled = sheet.past.length === 0;
  byId("clear").disabled = sheet.isEmpty;
  byId("hint").hidden = !sheet.isEmpty;
  clearTimeout(pause);
  if (sheet.isEmpty) {
    service.ask(null);
    showNothing();
  } else if (mode() === "one") {
    send("/api/predict", ONE_PIXELS);
  } else {
    // Reading takes longer than telling one digit: not before the pen has rested.
    service.ask(null);
    showReading();
    if (sheet.isBusy) return;
    pause = setTimeout(send, sheet.photo ? 0 : PAUSE_MS, "/api/read", SEVERAL_PIXELS);
  }
}

function send(path, pixels) {
  const { photo } = sheet;
  service.ask({ mode: mode(), path, picture: async () => photo?.content ?? sheet.drawing(pixels) });
}

function choose(value) {
  for (const radio of modes) radio.checked = radio.value === value;
  showMode(value);
}

for (const radio of modes) {
  radio.addEventListener("change", () => {
    showMode(mode());
    sheet.mark(null);
    ask();
  });
}
byId("undo").addEventListener("click", () => sheet.undo());
byId("clear").addEventListener("click", () => sheet.clear());
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z") {
    event.preventDefault();
    sheet.undo();
  }
});

async function take(file) {
  if (!file) return;
  service.ask(null);
  showNothing();
  showReading();
  const photo = await photoOf(file);
  const { width, height } = photo.bitmap ?? { width: Infinity, height: Infinity };
  choose(Math.max(width, height) > ONE_DIGIT_PIXELS ? "several" : "one");
  sheet.show(photo);
}

async function photoOf(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    // The service may know a format that the browser does not, or says what is wrong with the file.
    return { content: typed(file), bitmap: null };
  }
  const side = Math.max(bitmap.width, bitmap.height);
  if (KNOWN.includes(file.type) && side <= MAX_PHOTO_SIDE && file.size <= MAX_PHOTO_BYTES) {
    return { content: file, bitmap };
  }
  const scale = Math.min(1, MAX_PHOTO_SIDE / side);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return { content: await new Promise((resolve) => canvas.toBlob(resolve, "image/png")), bitmap };
}

const typed = (file) => (file.type.startsWith("image/") ? file : new Blob([file], { type: "image/unknown" }));

byId("file").addEventListener("change", (event) => {
  take(event.target.files[0]);
  // So that the same file can be chosen again.
  event.target.value = "";
});
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (file) {
    event.preventDefault();
    take(file);
  }
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  take(event.dataTransfer.files[0]);
});

// A browser may remember the mode that was chosen before the page was loaded again.
showMode(mode());
showNothing();
