import { createRoot } from "react-dom/client";
import { Page } from "./Page.tsx";
import { openSession } from "./state/session.ts";
import { applyTheme } from "./state/settings.ts";
import "./styles/index.css";

applyTheme();
void openSession();
createRoot(document.getElementById("page")!).render(<Page />);
