// Executes the definition with aws-local-stepfunctions, in virtual time. Each line read is one scenario; each line written
// is its outcome. Usage: node run_machine.mjs <folder with node_modules> <definition>
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The interpreter asks for Node 22, which has this.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
};

const ACCOUNT = "arn:aws:states:us-east-1:123456789012";
const MACHINE = `${ACCOUNT}:stateMachine:execute-plan`;

// Time stands still while anything is to be done, then jumps to the next timer.
const clock = { now: 0, timers: new Map(), next: 1 };
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [clock.now]));
  }
  static now() {
    return clock.now;
  }
};
globalThis.setTimeout = (act, ms = 0) => {
  clock.timers.set(clock.next, { at: clock.now + Math.max(ms, 0), act });
  return clock.next++;
};
globalThis.clearTimeout = (id) => clock.timers.delete(id);

async function inVirtualTime(promise) {
  let over = false;
  const watched = promise.finally(() => (over = true));
  watched.catch(() => {});
  while (!over) {
    await new Promise((resume) => setImmediate(resume));
    const [first] = [...clock.timers].sort(([, a], [, b]) => a.at - b.at);
    if (over || first === undefined) continue;
    clock.timers.delete(first[0]);
    clock.now = Math.max(clock.now, first[1].at);
    first[1].act();
  }
  return watched;
}

class Raised extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

const [, , folder, path] = process.argv;
const { StateMachine } = createRequire(`${folder}/package.json`)("aws-local-stepfunctions");
const definition = JSON.parse(readFileSync(path, "utf8"));
const started = new Set();

// The package applies this path to what Parameters make of the input, AWS and moto to the input itself.
for (const state of Object.values(definition.States)) {
  if (state.TimeoutSecondsPath) state.TimeoutSecondsPath = state.TimeoutSecondsPath.replace("$.", "$.Payload.");
}

async function execute(name, input, scenario, outcome) {
  const handlers = {};
  for (const [state, { Resource }] of Object.entries(definition.States)) {
    if (Resource === "arn:aws:states:::lambda:invoke") {
      handlers[state] = ({ Payload }) => answer(state, Payload, scenario.answers[state], outcome);
    } else if (Resource !== undefined) {
      handlers[state] = ({ StateMachineArn, Name, Input }) => start(StateMachineArn, Name, Input, outcome);
    }
  }
  const arn = `${ACCOUNT}:execution:execute-plan:${name}`;
  const execution = { name, arn, input, status: "SUCCEEDED", error: "", cause: "" };
  outcome.executions.push(execution);
  const context = { Execution: { Id: arn, Name: name }, StateMachine: { Id: MACHINE } };
  const machine = new StateMachine(definition, { validationOptions: { checkArn: false } });
  try {
    await inVirtualTime(machine.run(input, { context, overrides: { taskResourceLocalHandlers: handlers } }).result);
  } catch (error) {
    Object.assign(execution, { status: "FAILED", error: error.cause?.name ?? error.name });
    execution.cause = error.cause?.message ?? error.message;
  }
}

// The function's scripted answers are given in order; the last one repeats.
async function answer(state, event, answers, outcome) {
  outcome.calls.push([state, event]);
  const given = answers.length > 1 ? answers.shift() : answers[0];
  if ("raise" in given) {
    const { name, message } = given.raise;
    throw new Raised(name, JSON.stringify({ errorMessage: message, errorType: name, stackTrace: [] }));
  }
  if ("wait" in given) {
    await new Promise((resume) => setTimeout(resume, given.wait * 1000));
    return { Payload: null };
  }
  return { Payload: given.answer };
}

async function start(machine, name, input, outcome) {
  if (machine !== MACHINE) throw new Raised("StepFunctions.StateMachineDoesNotExistException", machine);
  if (started.has(name)) throw new Raised("StepFunctions.ExecutionAlreadyExistsException", name);
  started.add(name);
  outcome.successors.push([name, input]);
  return { ExecutionArn: `${ACCOUNT}:execution:execute-plan:${name}` };
}

let count = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const scenario = JSON.parse(line);
  clock.now = RealDate.parse(scenario.at);
  clock.timers.clear();
  const outcome = { executions: [], calls: [], successors: [] };
  await execute(`scenario-${(count += 1)}`, scenario.input, scenario, outcome);
  for (const [name, input] of outcome.successors) await execute(name, input, scenario, outcome);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
