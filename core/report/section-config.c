/* SPDX-License-Identifier: MIT
 * The experiment, every value of it. */
#include "report/sections.h"

void dpcxr_section_config(DpcxrPage *page, const DpcxrRunFiles *run)
{
    if (!run->config)
        return;
    dpcxr_page_section(page, "config", "Configuration");
    dpcxr_page_text(page, run->released ? "The experiment with every value, defaults too, without paths."
                                        : "The experiment with every value, defaults too.");
    dpcxr_page_verbatim(page, "config.yaml", run->config);
}
