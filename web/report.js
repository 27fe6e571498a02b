// Draws the page's charts once they come into view; opens everything for the printer.
const data = JSON.parse(document.getElementById("page-data").textContent);
const drawn = new Set();

// The interpreter (ast) evaluates chart expressions without eval, which the page forbids.
const options = { ast: true, renderer: "svg", actions: false, config: data.config };

const hidden = (element) => {
  const closed = element.closest("details:not([open])");
  return closed !== null && !element.closest("summary");
};

// Narrow screens get one legend entry a line.
function fitted(spec, element) {
  const narrow = element.clientWidth < 480;
  return narrow ? { ...spec, config: { legend: { columns: 1 } } } : spec;
}

async function draw(chart) {
  const element = document.getElementById(chart.id);
  if (!element || drawn.has(chart.id) || hidden(element)) return;
  drawn.add(chart.id);
  try {
    // Inside an element of its own: Vega sets roles on it, and the outer one keeps its words.
    const canvas = element.appendChild(document.createElement("div"));
    canvas.className = "canvas";
    await window.vegaEmbed(canvas, fitted(chart.spec, element), options);
    element.dataset.drawn = "yes";
  } catch (error) {
    element.textContent = "This chart could not be drawn; its figures stand in the tables.";
    console.error(`chart ${chart.id}: ${error}`);
  }
}

const drawAll = () => Promise.all(data.charts.map(draw));

for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", drawAll);

// A link to a closed part opens it.
function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  const first = target?.querySelector("details");
  if (first) first.open = true;
}
window.addEventListener("hashchange", openTarget);
openTarget();

window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

await drawAll();
document.documentElement.dataset.ready = "yes";
