import theme from "vitepress/theme-without-fonts"
import "./coatcheck.css"

export default theme
