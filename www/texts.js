// Every word that the page itself says to its user; lessons and replies say the rest.

export const texts = {
  brand: "evalsha",
  tagline: "Redis scripting, learned in your browser",
  skip: "Skip to the terminal",

  theme: {
    label: "Theme",
    auto: "As the system",
    light: "Light",
    dark: "Dark",
  },

  lesson: {
    region: "Lesson",
    place: (number, count) => `Lesson ${number} of ${count}`,
    contents: "Contents",
    finished: "done",
    allDone: (count) => `All ${count} lessons done`,
    run: "Run",
    runLine: (line) => `Run ${line}`,
    runLineIn: (line, terminal) => `Run in terminal ${terminal}: ${line}`,
    where: (terminal) => `In terminal ${terminal}`,
    again: "Again",
    expected: "Prints",
    expectedLater: (terminal) => `Terminal ${terminal} prints now`,
    ticked: "Done",
    previous: "Previous",
    next: "Next",
    reset: "Forget my progress",
    sureReset: "Forget it all? Press again",
    pager: "Previous and next lesson",
    unknown: (slug) => `There is no lesson “${slug}”. Here is the first one.`,
    full: "Open in the playground",
  },

  terminal: {
    region: "Terminal",
    title: "redis-cli",
    numbered: (number) => `redis-cli ${number}`,
    log: "What Redis has answered",
    logOf: (number) => `What Redis has answered in terminal ${number}`,
    input: "Redis command",
    inputOf: (number) => `Redis command in terminal ${number}`,
    open: "Terminal",
    openHint: "Another terminal on the same Redis (Alt-N)",
    opened: (count) => `Terminal ${count} is open`,
    close: (name) => `Close ${name}`,
    closeHint: "Close this terminal (Alt-W)",
    closedOne: (number, left) => `Terminal ${number} is closed. ${left === 1 ? "One is left." : `${left} are left.`}`,
    inputHelp: "Enter runs the line, Tab completes it, Escape and then Tab leaves it.",
    starting: "Starting Redis…",
    running: "Waiting for the reply…",
    stop: "Stop",
    copy: "Copy",
    copied: "Copied",
    notCopied: "The browser did not let me copy",
    clear: "Clear",
    keys: "Keys",
    touch: {
      label: "Keys",
      keys: {
        Tab: { face: "Tab", name: "Tab: complete" },
        ArrowUp: { face: "↑", name: "Up: the line before" },
        ArrowDown: { face: "↓", name: "Down: the next line" },
        "Ctrl-c": { face: "Ctrl-C", name: "Ctrl-C: stop" },
      },
    },
    queued: (count) => (count === 1 ? "1 more line waits" : `${count} more lines wait`),
    closed: "This session has ended. Press Enter to open a new one.",
    held: (characters) => `${count(characters)} characters, pasted. Enter runs them, Escape throws them away.`,
    candidate: (line, number, of) => `${line}, ${number} of ${of}`,
    candidates: (shown, of) => `${count(of - shown)} more`,
    search: (query) => `(reverse-i-search)'${query}': `,
    searchFailed: (query) => `(failed reverse-i-search)'${query}': `,
    dropped: "Older output was dropped to keep the page quick.",
    more: (lines, characters) => `Not shown: ${lines > 1 ? `${count(lines)} lines, ` : ""}${count(characters)} characters.`,
    showMore: "Show more",
    copyAll: "Copy all of it",
  },

  unkillable: {
    title: "This script cannot be killed.",
    body:
      "It has written. To stop it now would leave half of its work, and Redis promises all or nothing. The one way out that " +
      "Redis has is SHUTDOWN NOSAVE: the server ends, and nothing of it is saved. Here an empty one starts at once. What you " +
      "have typed stays in the history.",
    button: "SHUTDOWN NOSAVE",
  },

  shutdown: {
    title: "Redis was shut down, and has started again.",
    body:
      "It is empty: keys, cached scripts and settings are gone. Your history, your progress and the text above have stayed. " +
      "This terminal connects again with its next command.",
  },

  trap: {
    title: "Redis has stopped.",
    body:
      "The engine met a fault of its own and cannot go on. This is our mistake, not yours. Keys and cached scripts are lost; " +
      "your history, your progress and what stands above are not.",
    restart: "Start a fresh Redis",
    restarted: "A fresh Redis is running. It is empty.",
  },

  failure: {
    title: "Redis did not start.",
    body: "The page needs WebAssembly, and the file that holds it could not be loaded or run. The browser says:",
    retry: "Try again",
  },

  keys: {
    title: "Keys",
    close: "Close",
    groups: [
      {
        title: "In the terminal",
        keys: [
          ["Enter", "run the line"],
          ["Shift-Enter", "begin a new line in the same command"],
          ["Tab", "complete; again for the next candidate"],
          ["Escape, then Tab", "leave the terminal; Shift-Tab leaves it backwards"],
          ["↑ ↓ or Ctrl-P Ctrl-N", "older and newer lines"],
          ["Ctrl-R", "search the older lines"],
          ["Ctrl-C", "stop what runs, or clear the line; copies when text is selected"],
          ["Ctrl-L", "clear the screen"],
          ["Ctrl-D", "delete a character; end the session on an empty line"],
          ["PageUp PageDown", "scroll what was printed"],
        ],
      },
      {
        title: "Terminals",
        keys: [
          ["Alt-N", "open another one on the same Redis, up to four"],
          ["Alt-O", "go to the next one"],
          ["Alt-1 … Alt-4", "go to that one"],
          ["Alt-W", "close this one; so does Ctrl-D after its session has ended"],
        ],
      },
      {
        title: "In the line",
        keys: [
          ["Ctrl-A Ctrl-E", "to the start, to the end"],
          ["Ctrl-B Ctrl-F", "a character back, forward"],
          ["Alt-B Alt-F", "a word back, forward"],
          ["Ctrl-W or Alt-Backspace", "cut the word before"],
          ["Alt-D", "cut the word after"],
          ["Ctrl-U Ctrl-K", "cut to the start, to the end"],
          ["Ctrl-Y", "put back what was cut"],
          ["Ctrl-T", "swap two characters"],
        ],
      },
      {
        title: "In the lesson",
        keys: [["PageUp PageDown", "scroll, and then the previous or next lesson"]],
      },
    ],
    note: "Some browsers keep Ctrl-W, Ctrl-T and Ctrl-N for themselves.",
  },
};

function count(number) {
  return number.toLocaleString("en");
}
