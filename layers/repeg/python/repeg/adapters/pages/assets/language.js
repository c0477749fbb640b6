"use strict";
// The chart library asks for the browser's language when it loads, and fails on one such as en-US@posix. Pages are in
// English, whatever the browser's language.
Object.defineProperty(navigator, "language", { get: () => "en-US" });
