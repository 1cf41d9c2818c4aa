import { render } from "preact";

function App() {
  return <main>msg_sys</main>;
}

const root = document.getElementById("root");
if (root !== null) render(<App />, root);
